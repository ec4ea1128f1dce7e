"""Secrets, envelopes, digests, PINs, signatures."""

import copy
import json
import logging
import pickle
import traceback
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.serializers.json import DjangoJSONEncoder
from django.views.debug import ExceptionReporter
from hypothesis import given
from hypothesis import strategies as st

from paymentsite.core import vault
from paymentsite.core.vault import (
    KeysUnavailable,
    Purpose,
    Secret,
    Undecipherable,
    envelope,
    keyring,
    loading,
)

CANARY = "4111111111111111"
CARD = UUID("0190a7a8-0000-7000-8000-000000000001")
OTHER = UUID("0190a7a8-0000-7000-8000-000000000002")


@pytest.fixture(autouse=True)
def _development_keys(monkeypatch):
    monkeypatch.delenv("VAULT_KEYS", raising=False)
    monkeypatch.delenv("VAULT_KEYS_FILE", raising=False)
    vault.reload()
    yield
    vault.reload()


def card_number(content=CANARY, card=CARD):
    return vault.encrypt(Secret(content), label="card.number", bound_to=(card,))


def read(raw, *, label="card.number", bound_to=(CARD,), purpose=Purpose.DATA):
    return vault.decrypt(vault.Envelope(raw), label=label, bound_to=bound_to, purpose=purpose).reveal()


def refused(raw, **where):
    with pytest.raises(Undecipherable) as caught:
        read(raw, **where)
    return str(caught.value)


@pytest.mark.parametrize(
    "shown",
    [
        str,
        repr,
        "{}".format,
        "{:>40}".format,
        "{0!r}".format,
        lambda s: f"{s}",
        lambda s: f"{[s]}",
    ],
)
def test_secret_does_not_show_itself(shown):
    assert CANARY not in shown(Secret(CANARY))


@pytest.mark.parametrize(
    "written",
    [
        json.dumps,
        lambda secret: json.dumps(secret, cls=DjangoJSONEncoder),
        pickle.dumps,
        lambda secret: pickle.dumps(secret, 0),
        lambda secret: pickle.dumps({"card": [secret]}),
        list,
        vars,
        bytes,
        len,
        int,
    ],
)
def test_secret_cannot_be_written_down(written):
    with pytest.raises(TypeError) as caught:
        written(Secret(CANARY))

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("content", [None, 4111, b"4111", Secret("4111")])
def test_secret_of_anything_but_text_is_refused(content):
    with pytest.raises(TypeError, match="made of text"):
        Secret(content)


def test_secret_that_utf8_cannot_hold_is_refused_without_quoting_it():
    with pytest.raises(ValueError, match="UTF-8") as caught:
        Secret(CANARY + "\udcff")

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_secret_is_equal_by_content_and_to_secrets_alone():
    assert Secret("é") == Secret("é")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("a")
    assert not Secret("")


def test_secret_survives_copies():
    secret = Secret(CANARY)

    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": secret})["a"] is secret


def test_secret_stays_out_of_logs(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("tests").info("card %s %r", Secret(CANARY), {"n": Secret(CANARY)})

    assert CANARY not in caplog.text


@pytest.mark.parametrize("content", ["", "4", CANARY, "身份证 ✓", "x" * 1_000_000])
def test_envelope_gives_back_what_it_was_given(content):
    assert read(card_number(content).raw) == content


@given(content=st.text(st.characters(exclude_categories=("Cs",))), card=st.uuids())
def test_envelope_gives_back_any_text(content, card):
    assert read(card_number(content, card).raw, bound_to=(card,)) == content


@pytest.mark.attack
def test_every_single_bit_flip_is_refused_alike():
    raw = card_number().raw
    flips = [
        raw[: n // 8] + bytes([raw[n // 8] ^ (1 << n % 8)]) + raw[n // 8 + 1 :] for n in range(len(raw) * 8)
    ]

    assert {refused(flipped) for flipped in flips} == {"The vault cannot read this."}
    assert len(flips) == 8 * len(raw)


@pytest.mark.attack
def test_every_prefix_is_refused_and_every_suffix():
    raw = card_number().raw

    assert {refused(raw[:n]) for n in range(len(raw))} == {"The vault cannot read this."}
    assert {refused(raw[n:]) for n in range(1, len(raw) + 1)} == {"The vault cannot read this."}


@pytest.mark.attack
@pytest.mark.parametrize("added", [b"\0", b"x" * 16, b"x" * 1_000_000])
def test_added_bytes_are_refused(added):
    raw = card_number().raw

    refused(raw + added)
    refused(added + raw)


@pytest.mark.attack
@pytest.mark.parametrize(
    ("start", "end"), [(0, 3), (3, 4), (4, 12), (12, 28), (28, 40), (40, 72), (72, -16), (-16, None)]
)
@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
def test_each_part_replaced_is_refused(start, end, filling):
    raw = bytearray(card_number().raw)
    raw[start:end] = filling * len(raw[start:end])

    refused(bytes(raw))


@pytest.mark.attack
@pytest.mark.parametrize(
    ("start", "end"), [(12, 28), (28, 40), (40, 72), (72, -16), (-16, None), (12, 40), (12, 72), (72, None)]
)
def test_parts_of_two_envelopes_do_not_mix(start, end):
    one, two = bytearray(card_number().raw), card_number("5500000000000004").raw
    one[start:end] = two[start:end]

    refused(bytes(one))


@pytest.mark.attack
@pytest.mark.parametrize(
    "where",
    [
        {"bound_to": (OTHER,)},
        {"bound_to": (str(CARD),)},
        {"bound_to": (CARD.int,)},
        {"bound_to": (CARD, CARD)},
        {"bound_to": ()},
        {"label": "card.cvv"},
        {"label": ""},
        {"purpose": Purpose.PEPPER},
    ],
)
def test_another_place_is_refused(where):
    refused(card_number().raw, **where)


@pytest.mark.attack
def test_places_that_look_alike_joined_are_different():
    places = [("a", ("b", "c")), ("ab", ("c",)), ("a", ("bc",)), ("a", ("b", "c", "")), ("a", ("", "b", "c"))]
    numbers = [("a", (1, 23)), ("a", (12, 3)), ("a", ("1", "23")), ("a", (123,))]

    assert len({envelope.place(*each) for each in places + numbers}) == len(places + numbers)


@pytest.mark.parametrize("part", [None, True, 1.5, b"1", ["1"]])
def test_place_of_unclear_type_is_refused(part):
    with pytest.raises(TypeError, match="bound to"):
        envelope.place("card", (part,))


@pytest.mark.attack
def test_another_key_id_of_the_same_length_is_refused():
    raw = card_number().raw

    refused(raw.replace(b"dev-data", b"new-data"))
    refused(raw.replace(b"dev-data", "düv-da".encode() + b"t"))


@pytest.mark.attack
def test_key_id_moved_to_another_key_is_refused():
    ring = loading.keys().ring(Purpose.DATA)
    other = keyring.fresh(Purpose.DATA, key_id="new-data")
    both = {ring.current.id: ring.current, other.id: other}
    where = envelope.place("card.number", (CARD,))
    raw = envelope.shut(CANARY.encode(), key=ring.current, where=where)

    assert envelope.opened(raw, holder=both.get, where=where) == CANARY.encode()
    with pytest.raises(Undecipherable):
        envelope.opened(raw.replace(b"dev-data", b"new-data"), holder=both.get, where=where)


@pytest.mark.attack
def test_body_that_is_right_under_a_second_key_is_refused():
    """AES-GCM does not commit to its key, so a body can be made to fit two; the commitment fits one."""
    one, two = (keyring.fresh(Purpose.DATA, key_id="dev-data") for _ in "12")
    where = envelope.place("card.number", (CARD,))
    made = envelope._parsed(envelope.shut(CANARY.encode(), key=one, where=where))
    aes_key, _ = envelope._derived(two, made.head, where)
    body = AESGCM(aes_key).encrypt(made.head[-12:], b"another", made.head + made.commitment + where)

    with pytest.raises(Undecipherable):
        envelope.opened(made.head + made.commitment + body, holder=lambda _: two, where=where)


def test_envelopes_of_the_same_content_have_nothing_in_common():
    made = [card_number().raw for _ in range(200)]

    assert len({raw[12:28] for raw in made}) == 200
    assert len({raw[28:40] for raw in made}) == 200
    assert len({raw[40:] for raw in made}) == 200


def test_envelope_shows_its_key_and_nothing_else():
    made = card_number()

    assert made.key_id == "dev-data"
    assert repr(made) == "Envelope(…)"
    assert made == vault.Envelope(made.raw)
    assert made != made.raw
    assert len({made, vault.Envelope(made.raw)}) == 1
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - our own bytes, of this moment


@pytest.mark.attack
def test_refusal_carries_no_plaintext_key_or_cause():
    raw = bytearray(card_number().raw)
    raw[-1] ^= 1

    with pytest.raises(Undecipherable) as caught:
        read(bytes(raw))

    page = ExceptionReporter(
        None, type(caught.value), caught.value, caught.value.__traceback__
    ).get_traceback_text()
    assert CANARY not in page
    assert loading.keys().ring(Purpose.DATA).current.material.hex() not in page
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert caught.value.facts == {}


def test_digests_of_one_label_recognise_and_of_two_do_not():
    made = vault.digest(Secret(CANARY), label="card.number")

    assert made == vault.digest(Secret(CANARY), label="card.number")
    assert made != vault.digest(Secret(CANARY), label="card.token")
    assert made != vault.digest(Secret(CANARY + "1"), label="card.number")
    assert vault.digests(Secret(CANARY), label="card.number") == (made,)
    assert made.startswith("dev-digest.")
    assert len(made) == len("dev-digest.") + 43


def test_digest_label_cannot_borrow_from_the_content():
    assert vault.digest(Secret("bc"), label="a") != vault.digest(Secret("c"), label="ab")


def test_pin_that_is_wrong_or_of_another_is_refused():
    stored = vault.hash_pin(Secret("1234"), label="card.pin", bound_to=(CARD,))

    assert not vault.verify_pin(Secret("1235"), stored, label="card.pin", bound_to=(CARD,))
    assert not vault.verify_pin(Secret(""), stored, label="card.pin", bound_to=(CARD,))
    with pytest.raises(Undecipherable):
        vault.verify_pin(Secret("1234"), stored, label="card.pin", bound_to=(OTHER,))


def test_pin_that_is_right_matches_and_is_not_outdated():
    stored = vault.hash_pin(Secret("1234"), label="card.pin", bound_to=(CARD,))
    check = vault.verify_pin(Secret("1234"), stored, label="card.pin", bound_to=(CARD,))

    assert check
    assert check == vault.PinCheck(matches=True, outdated=False)
    assert stored.key_id == "dev-pepper"


def test_pin_is_stored_in_no_form_that_can_be_guessed_from():
    stored = vault.hash_pin(Secret("1234"), label="card.pin", bound_to=(CARD,))

    assert b"argon2" not in stored.raw


@pytest.mark.parametrize("cost", [("VAULT_PIN_PASSES", 3), ("VAULT_PIN_MEMORY_KIB", 20_000)])
def test_pin_of_another_cost_matches_and_is_outdated(settings, cost):
    stored = vault.hash_pin(Secret("1234"), label="card.pin", bound_to=(CARD,))
    setattr(settings, *cost)

    right = vault.verify_pin(Secret("1234"), stored, label="card.pin", bound_to=(CARD,))
    wrong = vault.verify_pin(Secret("1235"), stored, label="card.pin", bound_to=(CARD,))
    assert right == vault.PinCheck(matches=True, outdated=True)
    assert wrong == vault.PinCheck(matches=False, outdated=False)


@pytest.mark.parametrize("hashed", ["", "1234", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$"])
def test_pin_column_that_holds_no_hash_is_undecipherable(hashed):
    stored = vault.encrypt(Secret(hashed), label="card.pin", bound_to=(CARD,), purpose=Purpose.PEPPER)

    with pytest.raises(Undecipherable):
        vault.verify_pin(Secret("1234"), stored, label="card.pin", bound_to=(CARD,))


@pytest.mark.attack
def test_signature_of_other_bytes_key_or_signature_is_refused():
    key_id, signature = vault.sign(b"block 1")
    flipped = bytes([signature[0] ^ 1]) + signature[1:]

    assert vault.verify(b"block 1", key_id, signature)
    assert not vault.verify(b"block 2", key_id, signature)
    assert not vault.verify(b"block 1", "no-such-key", signature)
    assert not any(
        vault.verify(b"block 1", key_id, bad) for bad in (flipped, b"", signature[:-1], signature + b"\0")
    )


def test_signature_is_checked_by_anyone_with_the_public_key():
    signed = vault.sign(b"block 1")

    Ed25519PublicKey.from_public_bytes(vault.public_keys()[signed.key_id]).verify(
        signed.signature, b"block 1"
    )
    assert {len(raw) for raw in vault.public_keys().values()} == {32}


@pytest.mark.parametrize(
    "act",
    [
        vault.unlock,
        vault.public_keys,
        card_number,
        lambda: vault.sign(b"block 1"),
        lambda: vault.digest(Secret(CANARY), label="card.number"),
        lambda: vault.hash_pin(Secret("1234"), label="card.pin", bound_to=(CARD,)),
    ],
)
def test_without_keys_everything_is_unavailable(settings, act):
    settings.PRODUCTION = True

    with pytest.raises(KeysUnavailable) as caught:
        act()

    assert caught.value.retryable
    assert str(caught.value) == "The vault has no usable keys."
