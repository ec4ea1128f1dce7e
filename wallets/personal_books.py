"""Members' wallets with all their lines, and what else the books are about: told with everything else that is kept.

Registers with ``privacy``.
"""

from collections.abc import Iterator
from typing import Any, Final

from members.models import Member
from members.services import privacy
from paymentsite.core.money import Money
from wallets.models import ExchangeQuote, FeeUse, PointsCredit, RequestBlock, Wallet
from wallets.queries import statements
from wallets.queries.statements import StatementLine
from wallets.services.transfers import called

_PAGE: Final = 500


@privacy.exporter("wallets")
def opened(member: Member) -> Any:
    """Each wallet with its statement from the first line on, the latest first."""
    found = Wallet.objects.of(member).select_related("account", "member", "instrument").order_by("pk")
    return [
        {
            "currency": each.currency,
            "called": each.instrument.label,
            "state": each.state,
            "opened": each.opened_at,
            "lines": [_line(line) for line in _lines(each)],
        }
        for each in found
    ]


def _lines(wallet: Wallet) -> Iterator[StatementLine]:
    page: str | None = ""
    while page is not None:
        found = statements.lines(wallet=wallet, page=page, limit=_PAGE)
        yield from found.lines
        page = found.next_page


def _line(line: StatementLine) -> dict[str, Any]:
    return {
        "at": line.at,
        "what": line.words,
        "with": line.counterparty,
        "amount": line.amount,
        "balance": line.balance,
    }


@privacy.exporter("points turned into money")
def credited(member: Member) -> Any:
    found = PointsCredit.objects.filter(member=member).select_related("wallet").order_by("pk")
    return [
        {"points": Money(each.points, "PTS"), "amount": each.amount, "reference": each.reference, "at": each.at}
        for each in found
    ]


@privacy.exporter("fees")
def charged(member: Member) -> Any:
    found = FeeUse.objects.filter(member=member).order_by("pk")
    return [
        {
            "for": each.source,
            "kind": each.kind,
            "amount": Money(each.amount_minor, each.currency),
            "fee": each.fee,
            "free": each.free,
            "at": each.at,
            "given back": each.given_back_at,
        }
        for each in found
    ]


@privacy.exporter("exchange rates quoted")
def quoted(member: Member) -> Any:
    found = ExchangeQuote.objects.filter(member=member).order_by("pk")
    return [
        {"sold": each.sold, "bought": each.bought, "fee": each.fee, "rate": each.rate, "at": each.quoted_at}
        for each in found
    ]


@privacy.exporter("people who may not ask for money")
def blocked(member: Member) -> Any:
    found = RequestBlock.objects.filter(member=member).select_related("blocked").order_by("pk")
    return [{"who": called(each.blocked), "at": each.at} for each in found]
