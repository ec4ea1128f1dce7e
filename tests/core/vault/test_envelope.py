"""Envelopes: what opens, and all that does not."""

import pickle
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.views.debug import ExceptionReporter
from hypothesis import given
from hypothesis import strategies as st

from paymentsite.core import vault
from paymentsite.core.vault import (
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


@pytest.mark.parametrize("content", ["", "4", CANARY, "身份证 ✓", "x" * 1_000_000])
def test_envelope_gives_back_what_it_was_given(content):
    assert read(card_number(content).raw) == content


@given(content=st.text(st.characters(exclude_categories=("Cs",))), card=st.uuids())
def test_envelope_gives_back_any_text(content, card):
    assert read(card_number(content, card).raw, bound_to=(card,)) == content


@pytest.mark.attack
def test_every_single_bit_flip_is_refused_alike():
    raw = card_number().raw
    flips = [raw[: n // 8] + bytes([raw[n // 8] ^ (1 << n % 8)]) + raw[n // 8 + 1 :] for n in range(len(raw) * 8)]

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

    page = ExceptionReporter(None, type(caught.value), caught.value, caught.value.__traceback__).get_traceback_text()
    assert CANARY not in page
    assert loading.keys().ring(Purpose.DATA).current.material.hex() not in page
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert caught.value.facts == {}
