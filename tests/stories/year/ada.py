"""The member of the story, and what she asks of the site."""

from members.models import Member, Notice
from members.queries import payees
from members.services import notices
from paymentsite.core.actors import Actor
from paymentsite.core.errors import as_day
from paymentsite.core.vault import Secret
from tests.factories import cny
from tests.stories.year.diary import Diary
from wallets.models import Instrument, StandingOrder, StandingRun, TopUp, Transfer, Withdrawal
from wallets.services import points_credit, top_ups, transfers, wallets, withdrawals

PIN = Secret("802751")


class Ada:
    """The member of the story, with what she has at hand."""

    def __init__(self, member: Member, year: int) -> None:
        self.member, self.by = member, Actor.of(member.user)
        self.diary = Diary(member, year)
        self.purse = wallets.open(member=member, currency="CNY", by=self.by)

    def top_up(self, minor: int, reference: str, card: Instrument | None = None) -> TopUp:
        return top_ups.begin(
            member=self.member,
            wallet=self.purse,
            amount=cny(minor),
            method="card" if card else "alipay",
            reference=reference,
            by=self.by,
            instrument=card,
        )

    def send(self, minor: int, to: str, reference: str, pin: Secret | None = None) -> Transfer:
        payee, by = payees.find(to), Actor.of(self.member.user)
        return transfers.send(
            sender=self.member, payee=payee, amount=cny(minor), reference=reference, by=by, note="hello", pin=pin
        )

    def withdraw(self, minor: int, account: Instrument, reference: str) -> Withdrawal:
        return withdrawals.request(
            member=self.member,
            wallet=self.purse,
            amount=cny(minor),
            instrument=account,
            reference=reference,
            by=self.by,
            pin=PIN,
        )

    def credit(self, count: int, reference: str) -> None:
        points_credit.credit(member=self.member, count=count, reference=reference, by=self.by)

    def told(self, kind: str) -> list[str]:
        """What she was told of this kind, in order."""
        return [notices.sentence(each) for each in Notice.objects.filter(member=self.member, kind=kind).order_by("pk")]

    def day(self, month: int, day: int) -> str:
        return self.diary.moment(month, day).date().isoformat()


def fates(order: StandingOrder) -> list[str]:
    """What became of each due day."""
    return list(StandingRun.objects.filter(order=order).order_by("due_on").values_list("state", flat=True))


def expire(count: int, day: str, days: int) -> str:
    return f"{count} PTS expire at the end of {as_day(day)}, in {days} days, unless you spend them."
