"""Moving everything to new keys, until the old ones can go."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from paymentsite.core import vault
from paymentsite.core.models.vault import KeyRotation
from paymentsite.core.vault import Envelope, Purpose, Secret, loading, rotation
from tests.core.vault.app.models import Card

OTHER_TABLE = re.compile(r"(?!vault_tests\.)\w+\.\w+: ")


def number(n):
    return f"4{n:015}"


def filled(rows):
    return Card.objects.bulk_create([Card(number=Secret(number(n)), pin=Secret(f"pin {n}")) for n in range(rows)])


def contents():
    return {card.pk: card.number.decrypt().reveal() for card in Card.objects.filter(number__isnull=False)}


def rotate(**options):
    out, err = StringIO(), StringIO()
    call_command("rotate_keys", stdout=out, stderr=err, **options)
    # What it says of the site's own tables, which are empty here, is left out.
    return "".join(line for line in out.getvalue().splitlines(keepends=True) if not OTHER_TABLE.match(line))


def table():
    (found,) = [each for each in rotation.guarded() if each.model is Card]
    return found


def raw(card, column="number"):
    return Card.objects.filter(pk=card.pk).values_list(column, flat=True).get()


@pytest.mark.django_db
def test_old_key_that_rows_need_is_not_removed(cards, keyfile):
    filled(3)
    old = keyfile.renew()

    for purpose, key_id in old.items():
        with pytest.raises(CommandError, match=f"Rows still need {key_id}: 3 of vault_tests.Card. Run rotate_keys"):
            keyfile.change(remove=key_id)
        assert loading.key(purpose, key_id) is not None


@pytest.mark.django_db
def test_check_counts_rows_on_old_keys_and_changes_nothing(cards, keyfile):
    filled(3)
    assert rotate(check=True) == "vault_tests.Card: 0 rows on old keys\nNo row is on an old key.\n"

    keyfile.renew()
    Card.objects.create(number=Secret(number(9)))
    before = list(Card.objects.values_list("pk", "number", "number_digest", "pin"))
    with pytest.raises(CommandError, match=r"^3 rows are left on old keys\.$"):
        rotate(check=True)

    assert list(Card.objects.values_list("pk", "number", "number_digest", "pin")) == before
    assert not KeyRotation.objects.exists()


@pytest.mark.django_db
def test_after_rotation_the_old_keys_go_and_everything_is_read(cards, keyfile):
    made = filled(7)
    stored = vault.hash_pin(Secret("1234"), label="card.pin", bound_to=(made[0].public_id,))
    Card.objects.filter(pk=made[0].pk).update(pin=stored)
    Card.objects.create()
    before = {card.pk: number(n) for n, card in enumerate(made)}
    old = keyfile.renew()

    assert rotate(batch=2).endswith("vault_tests.Card: 7 moved, 0 failed, of 7\nNo row is on an old key.\n")
    for key_id in old.values():
        keyfile.change(remove=key_id)

    assert contents() == before
    assert [Card.objects.get(number_digest=Secret(number(n))) for n in range(7)] == made
    assert vault.verify_pin(
        Secret("1234"), raw(made[0], "pin"), label="card.pin", bound_to=(made[0].public_id,)
    ) == vault.PinCheck(matches=True, outdated=False)
    assert rotate(check=True).endswith("No row is on an old key.\n")


@pytest.mark.django_db
def test_rotation_leaves_current_rows_alone(cards, keyfile):
    keyfile.renew()
    filled(3)
    before = list(Card.objects.values_list("pk", "number", "number_digest", "pin"))

    assert rotate() == "vault_tests.Card: 0 moved, 0 failed, of 0\nNo row is on an old key.\n"
    assert list(Card.objects.values_list("pk", "number", "number_digest", "pin")) == before


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", [Purpose.DATA, Purpose.DIGEST, Purpose.PEPPER])
def test_one_purpose_rotates_without_the_others(cards, keyfile, purpose):
    (card,) = filled(1)
    before = {name: raw(card, name) for name in ("number", "number_digest", "pin")}
    keyfile.change(add=purpose)
    rotate()
    changed = {name for name, held in before.items() if raw(card, name) != held}

    assert changed == {{"data": "number", "digest": "number_digest", "pepper": "pin"}[purpose]}


@pytest.mark.django_db
def test_row_that_cannot_be_read_is_named_and_holds_up_no_other(cards, keyfile):
    made = filled(5)
    Card.objects.filter(pk=made[2].pk).update(number=Envelope(raw(made[1]).raw))
    old = keyfile.renew()
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError, match=r"^1 rows are left on old keys\.$"):
        call_command("rotate_keys", batch=2, stdout=out, stderr=err)

    assert err.getvalue() == f"vault_tests.Card {made[2].pk} cannot be decrypted\n"
    assert table().under(old[Purpose.DATA]) == 1
    assert table().stale().get() == made[2]


@pytest.mark.django_db
def test_row_mended_later_is_moved_by_the_next_run(cards, keyfile):
    made = filled(2)
    good = raw(made[0])
    Card.objects.filter(pk=made[0].pk).update(number=Envelope(b"broken"))
    keyfile.renew()
    with pytest.raises(CommandError):
        rotate()
    Card.objects.filter(pk=made[0].pk).update(number=good)

    rotate()
    assert contents() == {made[0].pk: number(0), made[1].pk: number(1)}
    assert KeyRotation.objects.get(table=Card._meta.label).rows_moved == 2


@pytest.mark.django_db
def test_two_rows_that_turn_out_to_be_the_same_are_named(cards, keyfile):
    made = filled(3)
    keyfile.renew()
    twin = Card.objects.create(number=Secret(number(1)))
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError, match=r"^1 rows are left"):
        call_command("rotate_keys", stdout=out, stderr=err)

    assert err.getvalue() == f"vault_tests.Card {made[1].pk} has the same content as another row\n"
    assert contents()[twin.pk] == contents()[made[1].pk] == number(1)
    assert table().stale().get() == made[1]


@pytest.mark.django_db
def test_digest_without_content_keeps_its_key_and_is_said(cards, keyfile):
    (card,) = filled(1)
    Card.objects.filter(pk=card.pk).update(number=None)
    old = keyfile.renew()
    rotate()

    assert "1 old digests without content, which keep their key" in rotate(check=True)
    assert Card.objects.get(number_digest=Secret(number(0))) == card
    with pytest.raises(CommandError, match=f"Rows still need {old[Purpose.DIGEST]}"):
        keyfile.change(remove=old[Purpose.DIGEST])


@pytest.mark.django_db
def test_interrupted_rotation_goes_on_where_it_was(cards, keyfile):
    filled(9)
    keyfile.renew()
    seen = []

    def stop(progress):
        seen.append(progress.moved)
        if progress.moved == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(table(), batch=3, report=stop)
    record = KeyRotation.objects.get(table=Card._meta.label)
    assert (record.rows_moved, record.finished_at, seen) == (6, None, [3, 6])

    progress = rotation.rotate(table(), batch=3)
    record.refresh_from_db()
    assert (progress.total, progress.moved, progress.left) == (3, 3, 0)
    assert (record.rows_moved, record.rows_seen, record.position) == (9, 9, "")
    assert record.finished_at is not None
    assert str(record).startswith("vault_tests.Card → data=data-")


@pytest.mark.django_db
def test_progress_is_said_about_once_a_second(cards, keyfile):
    filled(3)
    keyfile.renew()

    said = rotate(batch=2, pause=1.05)
    assert said.splitlines()[:2] == [
        "vault_tests.Card: 3 moved, 0 failed, of 3",
        "vault_tests.Card: 3 moved, 0 failed, of 3",
    ]


@pytest.mark.parametrize("options", [{"batch": 0}, {"pause": -1.0}])
def test_command_refuses_senseless_options(options):
    with pytest.raises(CommandError, match="--batch is at least 1"):
        rotate(**options)


@pytest.mark.django_db
def test_command_without_keys_says_so(cards, settings, monkeypatch):
    monkeypatch.delenv("VAULT_KEYS", raising=False)
    monkeypatch.delenv("VAULT_KEYS_FILE", raising=False)
    settings.PRODUCTION = True
    vault.reload()

    with pytest.raises(CommandError, match="The vault has no usable keys"):
        rotate()
