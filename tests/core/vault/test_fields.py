"""Encrypted columns and their digests: what is stored, read, found and refused."""

from uuid import uuid4

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, transaction

from paymentsite.core import vault
from paymentsite.core.vault import Envelope, Purpose, Secret, Undecipherable
from tests.core.vault.app.models import Card

pytestmark = pytest.mark.django_db
CANARY = "4111111111111111"


def stored(card):
    """The row as the database has it, past every field of Django."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, number_digest, pin FROM vault_tests_card WHERE id = %s", [card.pk])
        number, digest, pin = cursor.fetchone()
    return number and bytes(number), digest, pin and bytes(pin)


def content(card):
    return Card.objects.get(pk=card.pk).number.decrypt().reveal()


@pytest.mark.attack
@pytest.mark.parametrize("plain", [CANARY, CANARY.encode(), 4111, memoryview(b"4111")])
def test_plain_text_is_refused_on_assignment(cards, plain):
    with pytest.raises(TypeError, match="takes a Secret") as caught:
        cards(number=plain)

    assert CANARY not in str(caught.value)


@pytest.mark.attack
@pytest.mark.parametrize(
    "lookup",
    [
        {"number": Secret(CANARY)},
        {"number": CANARY},
        {"number": None},
        {"number__exact": b""},
        {"number__in": [b""]},
        {"number__contains": "4"},
        {"number__gt": b""},
        {"number__startswith": "4"},
        {"number__regex": "4"},
        {"number__length": 16},
    ],
)
def test_filter_on_encrypted_column_is_refused(cards, lookup):
    with pytest.raises(FieldError) as caught:
        list(cards.objects.filter(**lookup))

    assert CANARY not in str(caught.value)


@pytest.mark.attack
@pytest.mark.parametrize("value", [Secret(CANARY), CANARY, b"4111"])
def test_update_without_a_row_is_refused(cards, value):
    with pytest.raises(TypeError, match="without its row") as caught, transaction.atomic():
        cards.objects.update(number=value)

    assert CANARY not in str(caught.value)


def test_rows_are_found_by_null_alone(cards):
    full, empty = cards.objects.create(number=Secret(CANARY)), cards.objects.create()

    assert list(cards.objects.filter(number__isnull=False)) == [full]
    assert list(cards.objects.filter(number__isnull=True)) == [empty]
    assert empty.number is None
    assert stored(empty) == (None, None, None)


def test_saved_content_is_read_back_and_stored_encrypted(cards):
    card = cards.objects.create(number=Secret(CANARY))

    assert content(card) == CANARY
    raw, digest, _ = stored(card)
    assert CANARY.encode() not in raw
    assert raw.startswith(b"PV\x01")
    assert digest == vault.digest(Secret(CANARY), label="card.number")


def test_content_is_readable_before_it_is_saved(cards):
    card = cards(number=Secret(CANARY))

    assert card.number.decrypt() == Secret(CANARY)
    assert card.number_digest == vault.digest(Secret(CANARY), label="card.number")
    card.save()
    assert card.number.decrypt() == Secret(CANARY)


def test_uuid_given_as_text_binds_as_the_uuid(cards):
    card = cards.objects.create(public_id=str(uuid4()), number=Secret(CANARY))

    assert card.number.decrypt().reveal() == content(card) == CANARY


@pytest.mark.attack
def test_content_moved_to_another_row_cannot_be_read(cards):
    mine, yours = (cards.objects.create(number=Secret(number)) for number in (CANARY, "5500000000000004"))
    raw, _, _ = stored(mine)
    cards.objects.filter(pk=yours.pk).update(number=Envelope(raw))

    with pytest.raises(Undecipherable):
        content(yours)
    with pytest.raises(Undecipherable), transaction.atomic():
        cards.objects.get(pk=yours.pk).save()


@pytest.mark.attack
def test_content_does_not_follow_a_changed_identity(cards):
    card = cards.objects.create(number=Secret(CANARY))
    card.public_id = uuid4()

    with pytest.raises(Undecipherable), transaction.atomic():
        card.save()
    assert content(card) == CANARY


def test_content_assigned_from_another_row_is_encrypted_for_this_one(cards):
    one = cards.objects.create(number=Secret(CANARY))
    two = cards()
    one.number_digest = None
    one.number = None
    one.save()
    one.number = Secret(CANARY)
    two.number = one.number
    two.save()

    assert content(two) == CANARY


def test_envelope_made_for_the_row_is_taken(cards):
    card = cards()
    card.pin = vault.hash_pin(Secret("1234"), label="card.pin", bound_to=(card.public_id,))
    card.save()
    found = cards.objects.get(pk=card.pk)

    assert vault.verify_pin(Secret("1234"), found.pin.envelope, label="card.pin", bound_to=(found.public_id,))


@pytest.mark.attack
def test_envelope_of_another_row_or_nonsense_is_refused_when_saved(cards):
    card = cards()
    for envelope in (
        vault.hash_pin(Secret("1"), label="card.pin", bound_to=(uuid4(),)),
        Envelope(b"nonsense"),
    ):
        card.pin = envelope
        with pytest.raises(Undecipherable), transaction.atomic():
            card.save()


def test_bulk_create_and_bulk_update_encrypt_each_row(cards):
    made = cards.objects.bulk_create([cards(number=Secret(str(n))) for n in range(5)])
    assert [content(card) for card in made] == ["0", "1", "2", "3", "4"]

    for card in made:
        card.number = Secret(content(card) + "!")
    cards.objects.bulk_update(made, ["number", "number_digest"])

    assert [content(card) for card in made] == ["0!", "1!", "2!", "3!", "4!"]
    assert cards.objects.get(number_digest=Secret("3!")) == made[3]
    assert len({stored(card)[0] for card in made}) == 5


def test_column_left_out_of_the_query_is_read_when_asked(cards):
    cards.objects.create(number=Secret(CANARY))
    with_key = cards.objects.only("note").get()
    without = cards.objects.defer("public_id").get()

    assert with_key.number.decrypt().reveal() == CANARY
    assert without.number.decrypt().reveal() == CANARY
    assert with_key.number_digest == vault.digest(Secret(CANARY), label="card.number")


def test_full_clean_keeps_the_content(cards):
    card = cards(number=Secret(CANARY), note="n")
    card.full_clean()
    card.save()
    again = cards.objects.get()
    again.full_clean()
    again.save()

    assert content(card) == CANARY


def test_dump_loads_back_and_only_under_the_same_keys(cards):
    card, empty = cards.objects.create(number=Secret(CANARY)), cards.objects.create()
    dumped = serializers.serialize("json", [card, empty])
    cards.objects.all().delete()
    for loaded in serializers.deserialize("json", dumped):
        loaded.save()

    assert content(card) == CANARY
    assert cards.objects.get(pk=empty.pk).number is None


def test_digest_finds_its_row_and_no_other(cards):
    card, _ = (
        cards.objects.create(number=Secret(CANARY)),
        cards.objects.create(number=Secret("5500000000000004")),
    )
    digest = vault.digest(Secret(CANARY), label="card.number")

    assert cards.objects.get(number_digest=Secret(CANARY)) == card
    assert cards.objects.get(number_digest=digest) == card
    assert cards.objects.get(number_digest__in=[digest]) == card
    assert not cards.objects.filter(number_digest=Secret("4")).exists()
    assert not cards.objects.filter(number_digest=CANARY).exists()
    assert cards.objects.filter(number_digest=None).count() == 0


def test_second_row_of_the_same_content_is_refused(cards):
    cards.objects.create(number=Secret(CANARY))

    with pytest.raises(IntegrityError), transaction.atomic():
        cards.objects.create(number=Secret(CANARY))


def test_digest_follows_the_content_and_stays_when_it_goes(cards):
    card = cards.objects.create(number=Secret(CANARY))
    card.number = Secret("5500000000000004")
    card.save()
    assert cards.objects.get(number_digest=Secret("5500000000000004")) == card

    card.number = None
    card.save()
    assert stored(card)[0] is None
    assert cards.objects.get(number_digest=Secret("5500000000000004")) == card


def test_row_loaded_before_a_rotation_saves_under_the_new_key(cards, keyfile):
    card = cards.objects.create(number=Secret(CANARY))
    loaded = cards.objects.get()
    keyfile.renew()
    assert cards.objects.get(number_digest=Secret(CANARY)) == card
    loaded.save()

    assert cards.objects.get().number.envelope.key_id == keyfile.current(Purpose.DATA)
    assert stored(card)[1].startswith(keyfile.current(Purpose.DIGEST))
    assert content(card) == CANARY
