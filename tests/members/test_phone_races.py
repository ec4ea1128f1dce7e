"""One number, one code, few messages, few guesses; and each race turns red with the bug that it is there to find."""

from datetime import datetime

import pytest
from django.db.models import F

from members.models import Member, PhoneProof
from members.services import phone_proofs
from tests.members import phone_races as races
from tests.planting import turns_red

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("race", "count"),
    [(races.one_number, 10), (races.one_code, 16), (races.one_phone, 16), (races.one_member, 16)],
    ids=["number", "code", "phone", "member"],
)
def test_one_of_many_wins(together, race, count):
    race(together, count)


@pytest.mark.parametrize("count", [8, 32])
def test_exactly_three_guesses_are_looked_at(together, count):
    assert races.guesses(together, count) == 3


def test_number_that_is_looked_up_before_is_proven_by_many(together, without):
    without(Member, "members_member_proven_phone_once")
    turns_red(races.one_number, together, 8)


def test_messages_that_are_only_counted_before_are_more(together, without):
    without(PhoneProof, "members_phoneproof_nth")
    turns_red(races.one_phone, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_member_without_a_lock_is_sent_more(together, without):
    without(PhoneProof, "members_phoneproof_nth")
    turns_red(races.one_member, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_code_that_is_used_up_after_it_was_looked_at_is_good_for_many(together, monkeypatch):
    """The control: the tries are not what keeps it to one, and its use is written whatever it was."""

    class Careless:
        def __init__(self, rows):
            self.rows = rows

        def filter(self, **facts):
            facts.pop("used_at", None)
            return self.rows.filter(**facts)

        def first(self):
            return self.rows.first()

    of = phone_proofs._of
    monkeypatch.setattr(phone_proofs, "_of", lambda member: Careless(of(member)))

    turns_red(races.one_code, together, 8)


def test_try_that_is_paid_for_after_it_was_read_lets_more_in(together, monkeypatch, without):
    def charge(member: Member, now: datetime) -> PhoneProof | None:
        newest = phone_proofs._of(member).first()
        if newest is None or newest.tries >= phone_proofs.CODE_TRIES:
            return None
        PhoneProof.objects.filter(pk=newest.pk).update(tries=F("tries") + 1)
        return newest

    without(PhoneProof, "members_phoneproof_tries")
    monkeypatch.setattr(phone_proofs, "_charge", charge)

    def few(together, count):
        assert races.guesses(together, count) == 3

    turns_red(few, together, 32)
