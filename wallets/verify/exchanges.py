"""Exchanges against their quotes, their journals and the arithmetic of both."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from django.db import connection
from django.db.models import F, Q

from paymentsite.core.errors import DomainError
from paymentsite.core.rates import Rate
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Account, Journal, Posting
from wallets import conversion
from wallets.models import Exchange, ExchangeQuote, ExchangeRate
from wallets.services import exchanges
from wallets.services.exchanges import MARGIN, SCOPE

# What the journal of each exchange moved, by who gave and who got, beside what its quote says.
_POSTED: Final = """
SELECT * FROM (
    SELECT e.quote_id, q.sold_minor, q.fee_minor, q.bought_minor, q.margin_minor,
        SUM(CASE WHEN p.source_id = sold.account_id AND p.unit = q.sold_unit AND target.code = 'position'
            AND target.owner LIKE 'house:%%' THEN p.amount_minor ELSE 0 END) AS posted_sold,
        SUM(CASE WHEN p.source_id = sold.account_id AND p.unit = q.sold_unit AND target.code = 'fees'
            AND target.owner LIKE 'house:%%' THEN p.amount_minor ELSE 0 END) AS posted_fee,
        SUM(CASE WHEN p.target_id = bought.account_id AND p.unit = q.bought_unit AND source.code = 'position'
            AND source.owner LIKE 'house:%%' THEN p.amount_minor ELSE 0 END) AS posted_bought,
        SUM(CASE WHEN p.unit = q.bought_unit AND source.code = 'position' AND target.code = %s
            AND target.owner LIKE 'house:%%' THEN p.amount_minor ELSE 0 END) AS posted_margin,
        COALESCE(SUM(p.amount_minor), 0) AS posted
    FROM wallets_exchange e
    JOIN wallets_exchangequote q ON q.id = e.quote_id
    JOIN wallets_wallet sold ON sold.id = e.sold_from_id
    JOIN wallets_wallet bought ON bought.id = e.bought_into_id
    LEFT JOIN ledger_posting p ON p.journal_id = e.journal_id
    LEFT JOIN ledger_account source ON source.id = p.source_id
    LEFT JOIN ledger_account target ON target.id = p.target_id
    GROUP BY e.quote_id, q.id
) AS exchange
WHERE posted_sold <> sold_minor OR posted_fee <> fee_minor OR posted_bought <> bought_minor
    OR posted_margin <> margin_minor OR posted <> sold_minor + fee_minor + bought_minor + margin_minor
ORDER BY quote_id
"""
_AMOUNTS: Final = ("sold", "fee", "bought", "margin")


@check(
    "wallets.exchange_is_its_quote", "What an exchange posted are its quote's numbers, all of them and nothing else."
)
def exchange_is_its_quote(run: Run) -> Iterator[Fault]:
    run.seen["exchanges"] = Exchange.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(_POSTED, [MARGIN])
        rows = cursor.fetchall()
    for quote, *amounts, posted in rows:
        quoted, moved = amounts[:4], amounts[4:]
        wrong = [
            f"{name} {said} quoted, {done} posted"
            for name, said, done in zip(_AMOUNTS, quoted, moved, strict=True)
            if said != done
        ]
        yield f"exchange {quote}", "; ".join(wrong) or f"its journal moves {posted}, its quote says {sum(quoted)}"


@check("wallets.exchange_has_journal", "Each exchange has its journal, and each journal of one its exchange.")
def exchange_has_journal(run: Run) -> Iterator[Fault]:
    del run
    lonely = Journal.objects.posted().filter(scope=SCOPE).exclude(pk__in=Exchange.objects.values("journal"))
    for pk in lonely.order_by("pk").values_list("pk", flat=True):
        yield f"journal {pk}", "it exchanges, and no exchange names it"
    strange = Exchange.objects.filter(~Q(journal__scope=SCOPE) | Q(journal__refusal__isnull=False)).order_by("pk")
    for quote, journal in strange.values_list("pk", "journal"):
        yield f"exchange {quote}", f"it names journal {journal}, which posted no exchange"


@check("wallets.exchange_by_its_member", "A quote was accepted by its member, in time, between wallets of theirs.")
def exchange_by_its_member(run: Run) -> Iterator[Fault]:
    del run
    own = Q(member=F("quote__member"), sold_from__member=F("member"), bought_into__member=F("member"))
    fitting = Q(sold_from__currency=F("quote__sold_unit"), bought_into__currency=F("quote__bought_unit"))
    in_time = Q(at__gte=F("quote__quoted_at"), at__lt=F("quote__expires_at"))
    for what, right in (
        ("is between other members' wallets", own),
        ("is between wallets of other currencies", fitting),
        ("was accepted when its offer did not hold", in_time),
    ):
        for pk in Exchange.objects.exclude(right).order_by("pk").values_list("pk", flat=True):
            yield f"exchange {pk}", f"it {what}"


@check("wallets.exchange_arithmetic", "A quote gives what its rate and margin make of what is sold.", whole=True)
def exchange_arithmetic(run: Run) -> Iterator[Fault]:
    quotes = ExchangeQuote.objects.order_by("pk")
    run.seen["exchange quotes"] = quotes.count()
    for quote in quotes.iterator():
        try:
            given = _given(quote)
        except (DomainError, ValueError, InvalidOperation) as error:
            yield f"quote {quote.pk}", f"its rate {quote.rate} converts nothing: {error}"
            continue
        if (given.bought, given.margin) != (quote.bought, quote.margin):
            made = f"its rate makes {given.bought} and {given.margin}"
            yield f"quote {quote.pk}", f"offers {quote.bought} and a margin of {quote.margin}; {made}"


def _given(quote: ExchangeQuote) -> conversion.Given:
    rate = Rate(quote.sold_unit, quote.bought_unit, Decimal(quote.rate), quote.rate_source, quote.rate_at)
    return conversion.convert(quote.sold, rate, margin_bp=quote.margin_bp)


@check("wallets.margin_is_accounted", "What stands as margin was earned by exchanging, or moved by hand or back.")
def margin_is_accounted(run: Run) -> Iterator[Fault]:
    del run
    margins = Account.objects.filter(code=MARGIN, owner__startswith="house:")
    for pk, kind in margins.exclude(kind=Account.Kind.INCOME).values_list("pk", "kind"):
        yield f"account {pk}", f"margin is income, and this is {kind}"
    touching = Posting.objects.filter(Q(source__in=margins) | Q(target__in=margins))
    explained = Q(journal__scope__in=exchanges.earning()) | Q(journal__kind__in=["manual", "reversal"])
    for posting, journal in touching.exclude(explained).order_by("pk").values_list("pk", "journal"):
        yield f"posting {posting}", f"journal {journal} moves margin and exchanges nothing"


@check("wallets.rates_are_numbers", "Each exchange rate is a positive number, written in one way.", whole=True)
def rates_are_numbers(run: Run) -> Iterator[Fault]:
    rates = ExchangeRate.objects.order_by("pk")
    run.seen["exchange rates"] = rates.count()
    for pk, text in rates.values_list("pk", "value").iterator():
        try:
            value = Decimal(text)
        except InvalidOperation:
            yield f"rate {pk}", f"{text!r} is no number"
            continue
        if not value.is_finite() or value <= 0 or conversion.text(value) != text:
            yield f"rate {pk}", f"{text!r} is no rate, or not written as one"
