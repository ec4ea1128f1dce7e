"""PINs, digests, signatures, and nothing of all that without keys."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from paymentsite.core import vault
from paymentsite.core.vault import (
    KeysUnavailable,
    Purpose,
    Secret,
    Undecipherable,
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
    assert not any(vault.verify(b"block 1", key_id, bad) for bad in (flipped, b"", signature[:-1], signature + b"\0"))


def test_signature_is_checked_by_anyone_with_the_public_key():
    signed = vault.sign(b"block 1")

    Ed25519PublicKey.from_public_bytes(vault.public_keys()[signed.key_id]).verify(signed.signature, b"block 1")
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
