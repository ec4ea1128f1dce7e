"""Moving everything to new keys: beside writers and readers, after a kill, until the old key can go."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from io import StringIO
from itertools import count
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from paymentsite.core import vault
from paymentsite.core.models.vault import KeyRotation
from paymentsite.core.vault import Envelope, Purpose, Secret, loading, rotation
from paymentsite.env import ROOT
from tests.core.vault.app.models import Card


def number(n):
    return f"4{n:015}"


def filled(rows):
    return Card.objects.bulk_create(
        [Card(number=Secret(number(n)), pin=Secret(f"pin {n}")) for n in range(rows)]
    )


def contents():
    return {card.pk: card.number.decrypt().reveal() for card in Card.objects.filter(number__isnull=False)}


def rotate(**options):
    out, err = StringIO(), StringIO()
    call_command("rotate_keys", stdout=out, stderr=err, **options)
    return out.getvalue()


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
        with pytest.raises(
            CommandError, match=f"Rows still need {key_id}: 3 of vault_tests.Card. Run rotate_keys"
        ):
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
    assert KeyRotation.objects.get().rows_moved == 2


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
    record = KeyRotation.objects.get()
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


class Writers:
    """People who change card numbers, and people who read them, for as long as the block lasts."""

    def __init__(self, pks, *, writers, readers):
        self.pks, self.stop = pks, threading.Event()
        self.last, self.locks = {}, {pk: threading.Lock() for pk in pks}
        self.written, self.read, self.failures = Counter(), Counter(), []
        self.threads = [threading.Thread(target=self._run, args=(self._write, n)) for n in range(writers)]
        self.threads += [threading.Thread(target=self._run, args=(self._read, n)) for n in range(readers)]
        self.serial = count(10**9)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _run(self, act, seed):
        random = Random(seed)
        try:
            while not self.stop.is_set():
                act(random.choice(self.pks), random)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test has to hear of it
            self.failures.append(error)
        finally:
            connection.close()

    def _write(self, pk, random):
        """Each row's writers take turns, so that the last value written is known; rotation takes no turn."""
        with self.locks[pk]:
            text = number(next(self.serial))
            with transaction.atomic():
                card = Card.objects.select_for_update().get(pk=pk)
                card.number = Secret(text)
                time.sleep(random.random() / 500)
                card.save()
            self.last[pk] = text
        self.written[pk] += 1

    def _read(self, pk, _):
        card = Card.objects.get(pk=pk)
        assert card.number.decrypt().reveal()[0] == "4"
        self.read[pk] += 1


def raced(cards, keyfile):
    """Rotations beside eight writers and two readers; the number of rows moved, and what was lost."""
    made = filled(60)
    expected = {card.pk: number(n) for n, card in enumerate(made)}
    moved = 0
    with Writers([card.pk for card in made], writers=8, readers=2) as people:
        for _ in range(6):
            keyfile.renew()
            moved += rotation.rotate(table(), batch=20).moved
    assert people.failures == []
    assert sum(people.written.values()) >= 200
    assert sum(people.read.values()) >= 200
    expected |= people.last
    return moved, {pk for pk, text in contents().items() if text != expected[pk]}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_rotation_beside_writers_and_readers_loses_nothing(cards, keyfile):
    moved, lost = raced(cards, keyfile)

    assert lost == set()
    assert moved >= 60
    assert rotation.rotate(table()).left == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_rotation_without_its_condition_would_lose_values(cards, keyfile, monkeypatch):
    """The control: with the condition taken out of the UPDATE, the same race loses what others wrote."""
    monkeypatch.setattr(rotation, "_unchanged", lambda *_: rotation.Q())
    lost = set()
    for _ in range(10):
        Card.objects.all().delete()
        lost |= raced(cards, keyfile)[1]
        if lost:
            break

    assert lost


@contextmanager
def holding(card):
    """Someone else has the row locked until told to let go, or the block ends."""
    held, let_go = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Card.objects.select_for_update().get(pk=card.pk)
            held.set()
            let_go.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)

    def finish():
        let_go.set()
        holder.join()

    holder.start()
    assert held.wait(20)
    try:
        yield finish
    finally:
        finish()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_rotation_waits_for_no_row_and_comes_back_for_it(cards, keyfile):
    made = filled(5)
    keyfile.renew()
    seen = []
    with holding(made[2]) as let_go:

        def let_go_after_second_pass(progress):
            seen.append(progress.moved)
            if len(seen) == 2:
                let_go()

        progress = rotation.rotate(table(), report=let_go_after_second_pass)

    assert seen[:2] == [4, 4]
    assert (progress.moved, progress.left) == (5, 0)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_row_that_is_held_all_the_time_is_left_and_said(cards, keyfile, monkeypatch):
    monkeypatch.setattr(rotation, "LOCKED_SECONDS", 0)
    made = filled(5)
    keyfile.renew()
    with holding(made[2]), pytest.raises(CommandError, match=r"^1 rows are left on old keys\.$"):
        rotate()

    assert rotate().endswith("vault_tests.Card: 1 moved, 0 failed, of 1\nNo row is on an old key.\n")


@pytest.mark.crash
@pytest.mark.django_db(transaction=True)
def test_killed_rotation_is_finished_by_the_next_run(cards, keyfile):
    rows, kills = 400, 0
    made = filled(rows)
    expected = {card.pk: number(n) for n, card in enumerate(made)}
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.core.vault.app.settings",
        "TESTED_DATABASE": str(connection.settings_dict["NAME"]),
    }
    command = [sys.executable, str(ROOT / "manage.py"), "rotate_keys", "--batch=10", "--pause=0.05"]
    old = keyfile.renew()
    for moved_at_least in (20, 100, 200):
        running = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        while rows - table().stale().count() < moved_at_least:
            assert running.poll() is None, running.stdout.read().decode()
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
        assert running.wait(20) == -signal.SIGKILL
        running.stdout.close()
        kills += 1
        assert contents() == expected
    left = table().stale().count()
    assert 0 < left <= rows - 200

    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, kills) == (0, 3), done.stderr
    assert done.stdout.splitlines()[-2:] == [
        f"vault_tests.Card: {left} moved, 0 failed, of {left}",
        "No row is on an old key.",
    ]
    for key_id in old.values():
        keyfile.change(remove=key_id)
    assert contents() == expected
    assert KeyRotation.objects.get().rows_moved >= rows - 30
