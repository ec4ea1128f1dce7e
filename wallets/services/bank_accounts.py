"""Bank accounts that members save, to top up from and to withdraw to."""

from django.utils.translation import gettext_noop

from members.models import Member
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Invalid, Refused
from paymentsite.core.money import Unit
from paymentsite.core.services import audit
from paymentsite.core.units import OWN_UNITS
from paymentsite.core.vault import Secret
from wallets import numbers
from wallets.models import BankAccount, Instrument
from wallets.services import account_proofs, instruments
from wallets.services.outside_cards import holder_of
from wallets.services.wallets import NoCurrency


class AccountNumberWrong(Invalid, part=numbers.Part):
    code = "account_number_wrong"
    sentence = gettext_noop("That is no account's number: its {part} is wrong.")


class AccountNotVerified(Refused):
    code = "account_not_verified"
    sentence = gettext_noop("Money goes to and comes from verified bank accounts only. Verify this one first.")


@act
def save(
    *,
    member: Member,
    number: Secret,
    holder: Secret,
    currency: str,
    by: Actor,
    country: str = "",
    bank_code: str = "",
    bic: str = "",
    label: str = "",
) -> Instrument:
    """The account is one of the member's instruments, unverified. The same account again is the same instrument.

    ``number`` is an IBAN, or with ``country`` and ``bank_code`` what that country has instead.
    """
    if Unit.of(currency).code in OWN_UNITS:
        raise NoCurrency(unit=currency)
    account, identifier, named = _account(number, country, bank_code), _bic(bic), holder_of(holder)
    member = Member.objects.lock(member.pk)
    members.check_active(member)

    text = Secret(account.text)
    known = BankAccount.objects.filter(member=member, currency=currency, number_digest=text)
    if first := known.select_related("instrument").first():
        return _again(first, named, identifier, by=by)
    made = instruments.created(member, Instrument.Kind.BANK_ACCOUNT, by=by, label=label)
    BankAccount.objects.create(
        instrument=made,
        public_id=made.public_id,
        member=member,
        scheme=account.scheme,
        country=account.country,
        currency=currency,
        number=text,
        holder=named,
        last_four=account.number[-4:],
        bic=identifier,
    )
    return made


def check_verified(instrument: Instrument) -> None:
    """Raise unless money may be sent to it, and taken from it. Decide on a row read while the member is locked."""
    if instrument.state == Instrument.State.REMOVED:
        raise instruments.InstrumentRemoved
    if instrument.kind != Instrument.Kind.BANK_ACCOUNT or not instrument.verified:
        raise AccountNotVerified


def number_of(instrument: Instrument) -> numbers.AccountNumber:
    """What a gateway must know to pay to the account, in clear: hand it on, keep it nowhere."""
    if instrument.bank_account.number is None:
        raise instruments.InstrumentRemoved
    return numbers.AccountNumber.parse(instrument.bank_account.number.decrypt().reveal())


def _again(account: BankAccount, holder: Secret, bic: str, *, by: Actor) -> Instrument:
    """A verified account keeps the holder it was verified with: another one would be another claim.

    What waits to be proven was begun for the holder as it was, and ends with it.
    """
    before = account.holder.decrypt()
    if account.verified_at is None and (before, account.bic) != (holder, bic):
        if before != holder:
            account_proofs.fail_waiting(account, clock.now())
        account.holder, account.bic = holder, bic
        account.save(update_fields=["holder", "bic"])
        audit.record(by=by, act="instrument.edited", subject=account.instrument)
    return account.instrument


def _account(number: Secret, country: str, bank_code: str) -> numbers.AccountNumber:
    try:
        if bank_code:
            return numbers.domestic(country, bank_code, number.reveal())
        return numbers.from_iban(number.reveal())
    except numbers.WrongNumber as wrong:
        raise AccountNumberWrong(part=wrong.part) from None


def _bic(text: str) -> str:
    try:
        return numbers.bank_identifier(text)
    except numbers.WrongNumber as wrong:
        raise AccountNumberWrong(part=wrong.part) from None
