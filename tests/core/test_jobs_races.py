"""Several schedulers at once, and one killed in the middle of its work; the controls plant the bug."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from paymentsite.core import clock, jobs
from paymentsite.core.jobs import Owed, Schedule
from paymentsite.core.models import JobRun
from tests.threads import run_together

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEDULERS, ROUNDS = 8, 15

# Declares a job that says so and then never ends, and runs it until it is killed.
NEVER_ENDING = """
import sys, time
from datetime import datetime, timedelta
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from paymentsite.core.jobs import Schedule
schedule = Schedule()
@schedule.job("long", every=timedelta(hours=1))
def long(*, now):
    print("working", flush=True)
    time.sleep(600)
schedule.tick(datetime.fromisoformat(sys.argv[2]))
"""

CLOCK_READER = """
import sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from paymentsite.core import clock
for line in sys.stdin:
    print(clock.now().isoformat(), flush=True)
"""


def at_once(work: Callable[[int], None], count: int = SCHEDULERS) -> None:
    """``work`` has ended in ``count`` threads that began together; the first error is raised here."""
    for each in run_together(count, work):
        if isinstance(each, Exception):
            raise each


def race(most_apart: timedelta = timedelta(0)) -> tuple[int, int]:
    """How often a job ran that was due ``ROUNDS`` times, and how many ran at one time at most."""
    schedule, ran, inside, beside = Schedule(), [], [], [0]

    @schedule.job("hourly", every=HOUR)
    def work(*, now: datetime) -> None:
        inside.append(now)
        beside[0] = max(beside[0], len(inside))
        time.sleep(0.01)
        ran.append(now)
        inside.remove(now)

    for number in range(ROUNDS):
        due = NOON + number * 24 * HOUR
        at_once(lambda scheduler, due=due: schedule.tick(due + most_apart * scheduler))
    return len(ran), beside[0]


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", program, str(connection.settings_dict["NAME"]), *arguments]
    return subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "paymentsite.settings"},
    )


pytestmark = pytest.mark.usefixtures("together")

if connection.vendor == "postgresql":

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_schedulers_at_once_do_each_slot_once() -> None:
        assert race() == (ROUNDS, 1)
        assert JobRun.objects.filter(state="done", attempt=1).count() == ROUNDS

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_schedulers_that_see_different_slots_never_run_a_job_beside_itself() -> None:
        ran, beside = race(most_apart=HOUR)

        assert ROUNDS <= ran <= ROUNDS * SCHEDULERS
        assert beside == 1

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_without_unique_claims_slots_are_done_more_than_once(without) -> None:
        without(JobRun, "core_job_run_slot_once")
        without(JobRun, "core_job_run_not_beside_itself")

        ran, beside = race()

        assert ran > ROUNDS
        assert beside > 1

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_without_the_guard_against_running_beside_itself_a_job_does(without) -> None:
        without(JobRun, "core_job_run_not_beside_itself")

        _, beside = race(most_apart=HOUR)

        assert beside > 1

    def take_over() -> int:
        """How many of the schedulers that found crashed runs at once took them over, ``ROUNDS`` times."""
        schedule, ran = Schedule(), []
        schedule.job("hourly", every=HOUR)(lambda *, now: ran.append(now))
        for number in range(ROUNDS):
            slot = NOON + number * HOUR
            JobRun.objects.create(name="hourly", slot=slot)
            JobRun.objects.filter(slot=slot).update(started_at=Now() - HOUR)
            seen = JobRun.objects.get(slot=slot)

            def claim(_: int, slot: datetime = slot, seen: JobRun = seen) -> None:
                job = schedule.jobs["hourly"]
                if run := jobs._claim(Owed(job, slot, 0, seen), slot):
                    jobs._work(job, run, slot)

            at_once(claim)
        return len(ran)

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_a_crashed_run_is_taken_over_by_one_scheduler() -> None:
        assert take_over() == ROUNDS

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_a_take_over_without_a_condition_has_many_winners(monkeypatch) -> None:
        def unconditional(job: jobs.Job, last: JobRun) -> JobRun:
            JobRun.objects.filter(pk=last.pk).update(
                state="running", attempt=F("attempt") + 1, started_at=Now(), finished_at=None
            )
            return JobRun.objects.get(pk=last.pk)

        monkeypatch.setattr(jobs, "_retake", unconditional)

        assert take_over() > ROUNDS

    @pytest.mark.crash
    @pytest.mark.django_db(transaction=True)
    def test_a_killed_scheduler_leaves_its_slot_to_be_taken_over() -> None:
        schedule, ran = Schedule(), []
        schedule.job("long", every=HOUR, lease=timedelta(seconds=2))(lambda *, now: ran.append(now))
        with start(NEVER_ENDING, NOON.isoformat()) as process:
            assert process.stdout.readline() == "working\n"
            process.kill()
            assert process.wait() == -9

        assert schedule.tick(NOON).busy == ["long"]
        assert JobRun.objects.get().state == "running"
        time.sleep(2.1)
        assert [(run.state, run.attempt) for run in schedule.tick(NOON).ran] == [("done", 2)]
        assert ran == [NOON]

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_other_processes_see_at_once_that_the_clock_was_moved() -> None:
        with start(CLOCK_READER) as process:

            def asked() -> datetime:
                process.stdin.write("\n")
                process.stdin.flush()
                return datetime.fromisoformat(process.stdout.readline().strip())

            before = asked()
            for days in (1, 2, 300):
                moved = clock.advance(by=timedelta(days=days), schedule=Schedule())
                assert moved.end <= asked() <= moved.end + timedelta(seconds=5)
            assert asked() - before > timedelta(days=303)
            process.stdin.close()
            assert process.wait() == 0

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_movers_at_once_do_each_moment_once_in_order() -> None:
        schedule, came = Schedule(), []
        schedule.job("hourly", every=HOUR)(lambda *, now: came.append((now, clock.now())))
        end = clock.now() + 24 * HOUR

        at_once(lambda _: clock.advance(to=end, schedule=schedule), count=4)

        assert len(came) == 24
        assert came == sorted(came)
        assert all(now == seen for now, seen in came)
        assert end <= clock.now() <= end + timedelta(seconds=30)
