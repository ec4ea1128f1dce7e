"""What is there before histories begin: people, their accounts, and rules. And what the books hold, read plainly."""

from dataclasses import dataclass
from typing import Any, Self

from django.db import connection
from django.db.models import Count, Model, QuerySet, Sum

from members.models import PointValue, Tier
from members.services import pins, points
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import EPOCH
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance
from tests.members import catalogue, pointing
from tests.members.factories import member
from tests.members.limiting import cap
from tests.terms import told
from tests.wallets import gateways
from tests.wallets.factories import wallet
from tests.wallets.histories import people
from tests.wallets.histories.people import Person
from tests.wallets.saved import bank_account
from wallets.models import FeeRule, Instrument, Wallet
from wallets.services import bookings

PIN = Secret("739154")
POINTS, WORTH = 7, 10  # so many points are so many fen
REWARD_POINTS, REWARD_WORTH = 20, 45
HOUSE = [
    *(("position", unit) for unit in ("CNY", "EUR")),
    *(("exchange margin", unit) for unit in ("CNY", "EUR")),
    *(("fees", unit) for unit in ("CNY", "EUR")),
    *(("points", unit) for unit in ("CNY", "PTS")),
    *(("rewards", "CNY"), ("rewards", "PTS"), ("breakage", "PTS"), ("suspense", "CNY"), ("cash", "CNY")),
]


@dataclass(frozen=True, slots=True)
class Stage:
    purses: list[Wallet]
    euros: list[Wallet]
    points: list[points.Accounts]
    banks: list[Instrument]

    @classmethod
    def set(cls, number: int) -> Self:
        _rules()
        for code, unit in HOUSE:
            ledger.house(code, unit)
        bookings.clearing("sandbox", "CNY")
        for kind in ("top_up", "payout"):
            gateways.route(kind, currency="CNY")
        everybody = [member(handle=None) for _ in range(number)]
        for each in everybody:
            pins.set_pin(member=each, pin=PIN, by=SYSTEM)
        return cls(
            purses=[wallet(of=each) for each in everybody],
            euros=[wallet(of=each, currency="EUR") for each in everybody],
            points=[points.of(each) for each in everybody],
            banks=[bank_account(of=each, verified=True, currency="CNY") for each in everybody],
        )

    def assert_holds(self, model: list[Person]) -> None:
        """Every account of theirs holds what the model says."""
        accounts = [
            {
                purse.account_id: (person.posted, person.held),
                euros.account_id: (person.euros, 0),
                points.points.pk: (person.points, 0),
                points.pending.pk: (sum(count for _, count in person.waiting), 0),
            }
            for person, purse, euros, points in zip(model, self.purses, self.euros, self.points, strict=True)
        ]
        wanted = {pk: holding for each in accounts for pk, holding in each.items()}
        rows = Balance.objects.filter(pk__in=wanted).values_list("pk", "posted_minor", "held_minor")
        assert {pk: (posted, held) for pk, posted, held in rows} == wanted


def _rules() -> None:
    cap(people.TRANSFER_DAY_MAX, kind="transfer")
    cap(people.TOP_UP_DAY_MAX, kind="top_up")
    cap(people.WITHDRAWAL_MAX, kind="withdrawal", period="act")
    cap(people.WITHDRAWALS_A_DAY, kind="withdrawal", measure="count")
    for currency, most in people.BALANCE_MAX.items():
        cap(most, measure="balance", period="always", currency=currency)
    for kind, price in {
        "transfer": {"percent_bp": people.TRANSFER_BP, "minimum_minor": 1},
        "exchange": {"percent_bp": people.EXCHANGE_BP, "minimum_minor": 1},
        "top_up": {"fixed_minor": people.TOP_UP_FEE},
        "withdrawal": {"fixed_minor": people.WITHDRAWAL_FEE},
    }.items():
        told(FeeRule.objects.create(kind=kind, currency="CNY", starts_at=EPOCH, set_by="test:1", **price))
    benefits = {"free_withdrawals": people.FREE_WITHDRAWALS, "fx_margin_bp": people.MARGIN_BP}
    told(Tier.objects.create(code="base", name_en="Base", rank=0, **benefits))
    told(PointValue.objects.create(currency="CNY", points=POINTS, value_minor=WORTH, starts_at=EPOCH))
    month = {"points": 1, "expiry": "months", "expiry_months": 1}
    catalogue.goods(kind="wallet_credit", points=REWARD_POINTS, credit_minor=REWARD_WORTH, currency="CNY")
    pointing.rule("at once", per_minor=2, **month)
    pointing.rule("waits", per_minor=1, scope="merchant", scope_key="waits", pending="days", pending_days=1, **month)


_MOVED = """
SELECT account_id, SUM(change) FROM (
  SELECT source_id AS account_id, -amount_minor AS change FROM ledger_posting
  UNION ALL SELECT target_id, amount_minor FROM ledger_posting) sides GROUP BY account_id"""


def moved_on(accounts: QuerySet[Account]) -> dict[tuple[str, str], int]:
    """By code and unit, what all postings together left there, where that is anything."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVED)
        sums = dict(cursor.fetchall())
    rows = accounts.filter(pk__in=[pk for pk, total in sums.items() if total]).values_list("pk", "code", "unit")
    return {(code, unit): int(sums[pk]) for pk, code, unit in rows}


def sums(model: type[Model], column: str) -> dict[tuple[int, str], tuple[int, int]]:
    """Of what was taken and not given back, by member and kind: how much, and how often."""
    rows: Any = model._default_manager.filter(given_back_at=None).order_by().values_list("member", "kind")
    return {(who, kind): (total, times) for who, kind, total, times in rows.annotate(Sum(column), Count("pk"))}


def sums_of_all() -> dict[str, int]:
    """What all accounts of each unit hold together, by what they say of themselves."""
    strict = Balance.objects.filter(account__mode=Account.Mode.STRICT).order_by().values_list("account__unit")
    found = dict(strict.annotate(Sum("posted_minor")))
    for (_code, unit), total in moved_on(Account.objects.filter(mode=Account.Mode.DEFERRED)).items():
        found[unit] = found.get(unit, 0) + total
    return found
