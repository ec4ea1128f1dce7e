"""Exchange between a member's wallets: what was quoted is what is posted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from members.models import Member
from members.services import members, tiers
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Invalid, Missing, Refused, as_moment
from paymentsite.core.formats import amount as formatted
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money, Unit
from paymentsite.core.units import OWN_UNITS
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from wallets import conversion
from wallets.models import Exchange, ExchangeQuote, Wallet
from wallets.services import fees, rates, room, wallets
from wallets.services.wallets import NoCurrency
from wallets.services.wording import check_same, checked_reference
from wallets.telling import Told, teller

SCOPE: Final = "wallets.exchange"
MARGIN: Final = "exchange margin"
POSITION: Final = "position"
# However long the site says that offers are good, whoever waits longer plays with rates.
LASTS_MAX: Final = timedelta(minutes=5)
_EARNING: Final = {SCOPE}


def earn(scope: str) -> None:
    """Journals of ``scope`` exchange what they move on the way, and a margin is earned by it."""
    _EARNING.add(scope)


def earning() -> list[str]:
    """The scopes of all such journals."""
    return sorted(_EARNING)


class NoSuchQuote(Missing):
    code = "no_such_quote"
    sentence = gettext_noop("There is no such offer.")


class SameCurrency(Invalid):
    code = "exchange_same_currency"
    sentence = gettext_noop("An exchange is between two currencies.")


class NothingSold(Invalid):
    code = "exchange_of_nothing"
    sentence = gettext_noop("Say how much to exchange: more than zero.")


class NothingBought(Refused):
    code = "exchange_for_nothing"
    sentence = gettext_noop("{sold} is too little to buy any {unit}.")


class QuoteExpired(Refused, until=as_moment):
    code = "quote_expired"
    sentence = gettext_noop("That offer was good until {until}. Ask for a new one.")


class QuoteUsed(Conflict):
    code = "quote_used"
    sentence = gettext_noop("That offer was accepted before.")


class FeeChanged(Conflict):
    code = "exchange_fee_changed"
    sentence = gettext_noop("The fee is no longer {quoted} but {fee}. Ask for a new offer.")


@dataclass(frozen=True, slots=True)
class _Ours:
    """The accounts of ours that an exchange touches, opened where there are none yet."""

    taken: Account
    given: Account
    margin: Account
    fees: Account

    @classmethod
    def of(cls, quote: ExchangeQuote) -> "_Ours":
        sold, bought = quote.sold_unit, quote.bought_unit
        return cls(
            ledger.house(POSITION, sold),
            ledger.house(POSITION, bought),
            ledger.house(MARGIN, bought),
            ledger.house("fees", sold),
        )


@act
def quote(*, member: Member, sell: Money, buy_currency: str, now: datetime) -> ExchangeQuote:
    """What ``sell`` buys, the member's for half a minute. Nothing is moved or set aside."""
    for unit in (sell.unit, buy_currency):
        if Unit.of(unit).code in OWN_UNITS:
            raise NoCurrency(unit=unit)
    if sell.unit == buy_currency:
        raise SameCurrency
    if sell.minor <= 0:
        raise NothingSold
    members.check_active(member)

    rate = rates.current(sell.unit, buy_currency, now)
    margin_bp = tiers.of(member, now).fx_margin_bp
    given = conversion.convert(sell, rate, margin_bp=margin_bp)
    if not given.bought.minor:
        raise NothingBought(sold=sell, unit=buy_currency)
    return ExchangeQuote.objects.create(
        public_id=uuid7(now),
        member=member,
        sold_minor=sell.minor,
        sold_unit=sell.unit,
        fee_minor=fees.quote(member=member, kind=fees.Kind.EXCHANGE, amount=sell, now=now).fee.minor,
        bought_minor=given.bought.minor,
        bought_unit=buy_currency,
        margin_minor=given.margin.minor,
        margin_bp=margin_bp,
        rate=conversion.text(rate.value),
        rate_source=rate.source,
        rate_at=rate.at,
        quoted_at=now,
        expires_at=now + min(timedelta(seconds=settings.EXCHANGE_QUOTE_SECONDS), LASTS_MAX),
    )


def get(*, member: Member, public_id: UUID) -> ExchangeQuote:
    """The member's offer; somebody else's is ``NoSuchQuote``."""
    found = ExchangeQuote.objects.filter(member=member, public_id=public_id).first()
    if found is None:
        raise NoSuchQuote
    return found


def accept(*, quote: ExchangeQuote, reference: str, by: Actor) -> Exchange:
    """The quote's numbers are posted: once, before it expires, by its member. Repeating a reference returns the first.

    That the money did not suffice is final for this offer: ask for a new one.
    """
    reference = checked_reference(reference)
    if by.person != f"user:{quote.member_id}":
        raise NoSuchQuote
    _make_ready(quote, by)
    return _accept(quote=quote, reference=reference, by=by)


@act
def _make_ready(quote: ExchangeQuote, by: Actor) -> None:
    """The accounts stand, in an act of their own: opened in one that is refused they would go back with it, and the
    ledger cannot remember a refusal that names what is not there. Under the member's lock, so that who repeats a
    reference at once is not told that the offer was used, but hears of the first."""
    Member.objects.lock(quote.member_id)
    if not Exchange.objects.filter(quote=quote.pk).exists():
        _acceptable(quote.pk, clock.now())
        wallets.open(member=quote.member, currency=quote.bought_unit, by=by)
        _Ours.of(quote)


@act
def _accept(*, quote: ExchangeQuote, reference: str, by: Actor) -> Exchange:
    member = Member.objects.lock(quote.member_id)
    if first := Exchange.objects.filter(member=member, reference=reference).select_related("quote").first():
        check_same(first, {"quote_id": quote.pk}, reference=reference)
        return first
    now = clock.now()
    quote = _acceptable(quote.pk, now)

    members.check_active(member)
    source = wallets.of(member=member, currency=quote.sold_unit)
    wallets.check_open(source)
    target = wallets.open(member=member, currency=quote.bought_unit, by=by)
    room.check(member=member, wallet=target, amount=quote.bought)

    _charge(quote, member)
    posted = ledger.post(
        *_entries(quote, source, target),
        kind="exchange",
        scope=SCOPE,
        reference=str(quote.public_id),
        source=f"exchange:{quote.public_id}",
        by=by,
        details=_details(quote),
    )
    return Exchange.objects.create(
        quote=quote,
        member=member,
        reference=reference,
        sold_from=source,
        bought_into=target,
        journal_id=posted.journal_id,
        at=now,
    )


def _charge(quote: ExchangeQuote, member: Member) -> None:
    """The fee as it was when it was offered: what changed since does not count for this offer."""
    offered = fees.quote(member=member, kind=fees.Kind.EXCHANGE, amount=quote.sold, now=quote.quoted_at)
    fees.take(quote=offered, source=f"exchange:{quote.public_id}", now=quote.quoted_at)
    if offered.fee != quote.fee:
        raise FeeChanged(quoted=quote.fee, fee=offered.fee)


def _acceptable(pk: int, now: datetime) -> ExchangeQuote:
    """The quote as it was written, whatever the caller's copy says; the member is locked."""
    found = ExchangeQuote.objects.select_related("exchange").get(pk=pk)
    if Exchange.objects.filter(quote=found).exists():
        raise QuoteUsed
    if not found.open_at(now):
        raise QuoteExpired(until=found.expires_at)
    return found


def _entries(quote: ExchangeQuote, source: Wallet, target: Wallet) -> list[ledger.Entry]:
    """Each unit goes through our position in it, so that it balances by itself; the margin leaves it as income."""
    ours = _Ours.of(quote)
    entries: list[ledger.Entry] = [
        ledger.Move(quote.sold, source.account, ours.taken),
        ledger.Move(quote.bought, ours.given, target.account),
    ]
    if quote.margin_minor:
        entries.append(ledger.Move(quote.margin, ours.given, ours.margin))
    if quote.fee_minor:
        entries.append(ledger.Move(quote.fee, source.account, ours.fees))
    return entries


def _details(quote: ExchangeQuote) -> dict[str, Any]:
    return {
        "rate": quote.rate,
        "base": quote.sold_unit,
        "quote": quote.bought_unit,
        "rate_source": quote.rate_source,
        "rate_at": quote.rate_at.isoformat(),
        "margin_bp": quote.margin_bp,
        "rounding": conversion.ROUNDING.value,
    }


@teller("exchange")
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """How an exchange is told on either wallet's statement."""
    found = Exchange.objects.filter(member=member, quote__public_id__in=ids).select_related("quote")
    return {
        str(done.quote.public_id): Told(
            gettext("Exchanged {sold} for {bought}").format(
                sold=formatted(done.quote.sold), bought=formatted(done.quote.bought)
            ),
            subject=f"exchange:{done.quote.public_id}",
        )
        for done in found
    }
