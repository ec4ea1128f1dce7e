"""Withdrawals: money from a wallet to the member's verified bank account.

What leaves, fee and all, is on hold from the moment it is asked for until the gateway says how it ended: then it is
taken, or can be spent again. See ``top_ups`` for how a cut is mended.
"""

from collections.abc import Collection, Mapping

from django.conf import settings
from django.utils.translation import gettext

from members.models import Member
from members.services import limits, members, pins
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from wallets.models import GatewayRoute, Instrument, Wallet, Withdrawal
from wallets.services import bookings, fees, orders, payees, payouts, routing, wallets
from wallets.services.instruments import InstrumentRemoved
from wallets.telling import Told, teller

Origin = orders.Origin


def request(
    *,
    member: Member,
    wallet: Wallet,
    amount: Money,
    instrument: Instrument,
    reference: str,
    by: Actor,
    pin: Secret | None = None,
    fee: Money | None = None,
) -> Withdrawal:
    """Have a gateway pay ``amount`` to the bank account ``instrument``; amount and fee, the ``fee`` that they were
    shown, are on hold meanwhile.

    It takes the payment PIN above ``settings.WITHDRAWAL_PIN_ABOVE``. Repeating a reference returns the order as it
    stands, and asks nobody anything, the PIN neither. Never call it inside a transaction.
    """
    orders.check_asked(wallet=wallet, amount=amount, reference=reference)
    known = Withdrawal.objects.filter(member=member, reference=reference).exists()
    if not known and (pin is not None or needs_pin(amount)):
        pins.check(member=member, pin=pin)
    order, fresh = _intend(member, wallet, amount, instrument, reference, by, fee)
    return payouts.send(order) if fresh else order


def needs_pin(amount: Money) -> bool:
    """Whether withdrawing ``amount`` takes the payment PIN; in a currency without a threshold any amount does."""
    above: int = settings.WITHDRAWAL_PIN_ABOVE.get(amount.unit, 0)
    return amount.minor > above


@act
def _intend(
    member: Member,
    wallet: Wallet,
    amount: Money,
    instrument: Instrument,
    reference: str,
    by: Actor,
    fee: Money | None,
) -> tuple[Withdrawal, bool]:
    member = Member.objects.lock(member.pk)
    if first := Withdrawal.objects.filter(member=member, reference=reference).first():
        paid_to = str(instrument.public_id)
        return orders.same(first, wallet_id=wallet.pk, amount=amount, instrument=paid_to), False
    wallet = orders.wallet_of(member, wallet)
    members.check_active(member)
    wallets.check_open(wallet)
    instrument = payees.payable(member=member, public_id=instrument.public_id, currency=amount.unit)

    order = _drafted(member, wallet, amount, instrument, reference)
    limits.take(member=member, kind=limits.Kind.WITHDRAWAL, amount=amount, source=order.source, now=order.created_at)
    quote = fees.quote(member=member, kind=fees.Kind.WITHDRAWAL, amount=amount, now=order.created_at)
    fees.agreed(quote, fee)
    order.fee_minor = quote.fee.minor
    order.hold_id = bookings.set_aside(order, wallet)
    fees.take(quote=quote, source=order.source, now=order.created_at)
    order.save(force_insert=True)
    orders.tell(order, origin=Origin.REQUEST, by=by)
    return order, True


def _drafted(member: Member, wallet: Wallet, amount: Money, instrument: Instrument, reference: str) -> Withdrawal:
    now = clock.now()
    account = payees.account(instrument)
    if account is None:
        raise InstrumentRemoved
    return Withdrawal(
        public_id=uuid7(now),
        member=member,
        wallet=wallet,
        reference=reference,
        currency=amount.unit,
        amount_minor=amount.minor,
        method=payouts.METHOD,
        instrument=str(instrument.public_id),
        destination=instrument.shown,
        payee=payees.written(account),
        gateway=routing.first(kind=GatewayRoute.Kind.PAYOUT, method=payouts.METHOD, amount=amount, now=now),
        created_at=now,
        changed_at=now,
        next_query_at=now + orders.ASKED_AFTER[0],
    )


@teller("withdrawal")
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """What statements say of withdrawals."""
    return {
        str(order.public_id): Told(_words(order), order.destination, order.source)
        for order in Withdrawal.objects.of(member).filter(public_id__in=ids)
    }


def _words(order: Withdrawal) -> str:
    returned = order.state == Withdrawal.State.RETURNED
    return gettext("Withdrawal, which came back") if returned else gettext("Withdrawal")
