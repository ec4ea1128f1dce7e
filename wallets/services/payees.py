"""Saved instruments as gateways must know them, and how a payee is kept with its withdrawal.

Kept with the order, the account stays known to it when the member removes it: nothing under way changes by that.
"""

import json
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_noop

from members.models import Member
from paymentsite.core import clock
from paymentsite.core.errors import Invalid
from paymentsite.core.vault import Secret
from wallets.gateways.base import BankAccount, Card
from wallets.models import Instrument
from wallets.services import bank_accounts, instruments
from wallets.services.outside_cards import CardExpired

Kind = Instrument.Kind


class NotATopUpInstrument(Invalid):
    code = "instrument_not_for_top_ups"
    sentence = gettext_noop("Wallets are topped up from outside cards and bank accounts.")


class AccountCurrency(Invalid):
    code = "account_of_another_currency"
    sentence = gettext_noop("That bank account is in {currency}; the wallet is not.")


class InstrumentOfAnotherMethod(Invalid):
    code = "instrument_of_another_method"
    sentence = gettext_noop("That card or account is not used by this way of paying.")


def usable(*, member: Member, public_id: UUID, currency: str) -> Instrument:
    """The member's instrument, when wallets in ``currency`` can be topped up from it: a card that has not expired, or
    an account that is proven to be theirs. Decide while the member is locked.
    """
    found = instruments.get(member=member, public_id=public_id)
    if found.kind not in {Kind.CARD, Kind.BANK_ACCOUNT}:
        raise NotATopUpInstrument
    if found.kind == Kind.BANK_ACCOUNT:
        _check_account(found, currency)
    elif found.card.expired(clock.today()):
        raise CardExpired
    return found


def check_method(instrument: Instrument, method: str) -> None:
    """Raise unless that way of paying uses such an instrument."""
    if method != _METHODS[Kind(instrument.kind)]:
        raise InstrumentOfAnotherMethod


_METHODS: Final = {Kind.CARD: "card", Kind.BANK_ACCOUNT: "bank"}


def payable(*, member: Member, public_id: UUID, currency: str) -> Instrument:
    """The member's bank account, when money in ``currency`` may be sent to it. Decide while the member is locked."""
    found = instruments.get(member=member, public_id=public_id)
    _check_account(found, currency)
    return found


def _check_account(instrument: Instrument, currency: str) -> None:
    bank_accounts.check_verified(instrument)
    if instrument.bank_account.currency != currency:
        raise AccountCurrency(currency=instrument.bank_account.currency)


def card(instrument: Instrument) -> Card | None:
    """The saved card in clear, for the gateway alone; None when it is none, or was removed meanwhile."""
    if instrument.kind != Kind.CARD or instrument.card.number is None or instrument.card.holder is None:
        return None
    saved = instrument.card
    return Card(number=saved.number.decrypt(), holder=saved.holder.decrypt().reveal(), expires_on=saved.expires_on)


def account(instrument: Instrument) -> BankAccount | None:
    """The saved account in clear, for the gateway alone; None when it is none, or was removed meanwhile."""
    if instrument.kind != Kind.BANK_ACCOUNT or instrument.bank_account.holder is None:
        return None
    number = bank_accounts.number_of(instrument)
    return BankAccount(
        number=Secret(number.number),
        holder=instrument.bank_account.holder.decrypt().reveal(),
        bank=number.bank_code or instrument.bank_account.bic,
        country=number.country,
    )


def written(account: BankAccount) -> Secret:
    """``account`` as text for an encrypted column."""
    known = {"holder": account.holder, "bank": account.bank, "country": account.country}
    return Secret(json.dumps({"number": account.number.reveal(), **known}))


def read(kept: Secret) -> BankAccount:
    """What ``written`` wrote."""
    fields = json.loads(kept.reveal())
    return BankAccount(number=Secret(fields.pop("number")), **fields)
