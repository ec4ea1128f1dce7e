"""Rotation beside people who write and read, beside rows that are held, and killed."""

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

from paymentsite.core.models.vault import KeyRotation
from paymentsite.core.vault import Secret, rotation
from paymentsite.env import ROOT
from tests.core.vault.app.models import Card


def number(n):
    return f"4{n:015}"


def filled(rows):
    return Card.objects.bulk_create([Card(number=Secret(number(n)), pin=Secret(f"pin {n}")) for n in range(rows)])


def contents():
    return {card.pk: card.number.decrypt().reveal() for card in Card.objects.filter(number__isnull=False)}


def rotate(**options):
    out, err = StringIO(), StringIO()
    call_command("rotate_keys", stdout=out, stderr=err, **options)
    return out.getvalue()


def table():
    (found,) = [each for each in rotation.guarded() if each.model is Card]
    return found


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
        running = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
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

    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert (done.returncode, kills) == (0, 3), done.stderr
    assert done.stdout.splitlines()[-2:] == [
        f"vault_tests.Card: {left} moved, 0 failed, of {left}",
        "No row is on an old key.",
    ]
    for key_id in old.values():
        keyfile.change(remove=key_id)
    assert contents() == expected
    assert KeyRotation.objects.get(table=Card._meta.label).rows_moved >= rows - 30
