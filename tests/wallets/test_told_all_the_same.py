"""Jobs that tell many members something: one whom nothing can be told keeps no other from hearing it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db.models.signals import post_save

from cards.services import ending
from members.models import Member, Notice
from members.services.points import warnings
from paymentsite.core import clock
from paymentsite.core.models import OpenItem
from tests.cards.factories import card as virtual_card
from tests.cards.factories import debit
from tests.members.factories import member
from tests.members.pointing import pay, rule
from tests.members.tiering import day
from tests.verified import clean
from tests.wallets.factories import wallet
from tests.wallets.saved import card
from wallets.services import outside_cards

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@contextmanager
def deaf(whom: Member) -> Iterator[None]:
    """Whatever they are told fails."""

    def fail(instance: Notice, **_signal: object) -> None:
        if instance.member_id == whom.pk:
            raise RuntimeError("this member cannot be told")

    post_save.connect(fail, sender=Notice)
    try:
        yield
    finally:
        post_save.disconnect(fail, sender=Notice)


def expiring_points() -> tuple[list[Member], Callable[[], int]]:
    rule(expiry="months", expiry_months=1)
    both = [member(), member()]
    with clock.standing(day("2030-01-20")):
        for number, each in enumerate(both):
            pay(each, 100_00, source=f"p{number}")
    return both, lambda: warnings.warn(today=date(2030, 2, 25))


def expiring_outside_cards() -> tuple[list[Member], Callable[[], int]]:
    saved = [card(of=member()) for _ in range(2)]
    soon = clock.now() + (saved[0].card.expires_on - timedelta(days=10) - clock.today())
    return [each.member for each in saved], lambda: outside_cards.warn_of_expiring(now=soon)


def expiring_cards() -> tuple[list[Member], Callable[[], int]]:
    given = [virtual_card(wallet().member, debit(validity=30)) for _ in range(2)]
    soon = clock.now() + timedelta(days=25)
    return [each.member for each in given], lambda: ending.warn_of_expiry(now=soon)


def heard(*members: Member) -> tuple[int, ...]:
    """How often each was told that something of theirs runs out."""
    told = Notice.objects.filter(kind__in=["points_expire", outside_cards.EXPIRING.name, "card_runs_out"])
    return tuple(told.filter(member=each).count() for each in members)


KINDS = {
    "points_expiry_untold": expiring_points,
    "outside_card_expiry_untold": expiring_outside_cards,
    "card_expiry_untold": expiring_cards,
}


@pytest.mark.parametrize(("kind", "arranged"), KINDS.items(), ids=KINDS)
def test_others_hear_it_and_a_person_looks_until_the_last_has(kind, arranged):
    (broken, whole), warn = arranged()

    with deaf(broken):
        assert warn() == 1
    assert heard(broken, whole) == (0, 1)
    [item] = OpenItem.objects.open()
    assert (item.kind, item.subject) == (kind, f"members.member:{broken.pk}")

    warn()
    assert heard(broken, whole) == (1, 1)
    assert (OpenItem.objects.open().count(), clean()) == (0, True)
