"""Virtual accounts: their numbers, whose they are, and what the trail and their credits say of them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from stdnum import iban, luhn
from stdnum.iso7064 import mod_97_10

from cards.models import AccountRange, BankCredit, VirtualAccount, VirtualAccountEvent
from cards.services import purposes
from paymentsite.core import clock, vault
from paymentsite.core.verification import Fault, Run, check
from wallets.models import Instrument, Wallet
from wallets.verify.reading import rows

State = VirtualAccount.State
Purpose = VirtualAccount.Purpose

_JUDGES: Final[dict[str, Callable[[str], bool]]] = {
    AccountRange.Scheme.IBAN: iban.is_valid,
    AccountRange.Scheme.LUHN: luhn.is_valid,
    AccountRange.Scheme.MOD97: mod_97_10.is_valid,
}
# By then whatever expires purposes each night has seen them.
_FORGOTTEN: Final = timedelta(days=2)
_APART: Final = """
SELECT v.id, v.state, e.act FROM cards_virtualaccount v
LEFT JOIN (
    SELECT subject, MAX(id) AS last_id FROM core_auditentry WHERE act LIKE 'virtual_account.%' GROUP BY subject
) t ON t.subject = 'cards.virtualaccount:' || v.id
LEFT JOIN core_auditentry e ON e.id = t.last_id
WHERE e.id IS NULL OR NOT (
    e.act = 'virtual_account.' || v.state OR (e.act = 'virtual_account.opened' AND v.state = 'open')
)
ORDER BY v.id
"""


@check("cards.account_numbers_right", "Each account number is valid, of its range, and of one account.", whole=True)
def account_numbers_right(run: Run) -> Iterator[Fault]:
    run.seen["virtual accounts"] = VirtualAccount.objects.count()
    for account in VirtualAccount.objects.select_related("numbers").order_by("pk").iterator():
        range_, number = account.numbers, account.number
        if not _JUDGES[range_.scheme](number):
            yield f"virtual account {account.pk}", "its number is none"
        begin = f"{number[:2]}{number[4:]}" if range_.country else number
        if len(number) != range_.length or not begin.startswith(f"{range_.country}{range_.prefix}"):
            yield f"virtual account {account.pk}", f"its number is not of {range_}"
    twins = VirtualAccount.objects.filter(number=OuterRef("number")).exclude(pk=OuterRef("pk"))
    for pk in VirtualAccount.objects.filter(Exists(twins)).order_by("pk").values_list("pk", flat=True):
        yield f"virtual account {pk}", "another one has the same number"


@check(
    "cards.account_numbers_counted",
    "A range has given as many numbers as accounts have of it, and no more than it has.",
)
def account_numbers_counted(run: Run) -> Iterator[Fault]:
    run.seen["ranges of account numbers"] = AccountRange.objects.count()
    for each in AccountRange.objects.annotate(given=Count("accounts")).order_by("pk"):
        if each.given != each.issued:
            yield (
                f"account range {each.pk}",
                f"says {each.issued} numbers are given, and {each.given} accounts have one",
            )
        if each.issued > 10**each.free:
            yield f"account range {each.pk}", f"says {each.issued} of {each.capacity} numbers are given"


@check(
    "cards.account_is_its_events",
    "A virtual account is what its last event made it, each began where the one before ended, and the trail says so.",
)
def account_is_its_events(run: Run) -> Iterator[Fault]:
    run.seen["events of virtual accounts"] = VirtualAccountEvent.objects.count()
    events = VirtualAccountEvent.objects.filter(account=OuterRef("pk")).order_by("-pk")
    told = VirtualAccount.objects.annotate(
        last=Subquery(events.values("after")[:1]), served=Subquery(events.values("purpose")[:1])
    )
    apart = told.exclude(last=F("state"), served=F("purpose"), last__isnull=False)
    for pk, state, last in apart.order_by("pk").values_list("pk", "state", "last"):
        yield f"virtual account {pk}", f"it is {state}, and what happened to it made it {last or 'nothing'}"
    earlier = VirtualAccountEvent.objects.filter(account=OuterRef("account"), pk__lt=OuterRef("pk")).order_by("-pk")
    chained = VirtualAccountEvent.objects.annotate(
        was=Coalesce(Subquery(earlier.values("after")[:1]), Value("")),
        of=Coalesce(Subquery(earlier.values("purpose")[:1]), Value("")),
    )
    right = Q(was=F("before")) & (~Q(before=F("after")) | ~Q(of=F("purpose"))) & (~Q(before="") | Q(after=State.OPEN))
    for pk, account in chained.exclude(right).order_by("pk").values_list("pk", "account"):
        yield f"virtual account {account}", f"event {pk} does not begin where the one before ended"
    for pk, state, act in rows(_APART):
        yield f"virtual account {pk}", f"it is {state}; last told: {act or 'nothing'}"


@check(
    "cards.account_leads_home",
    "A virtual account leads into a wallet of its member's in its currency, and to a bank account of theirs at most.",
)
def account_leads_home(run: Run) -> Iterator[Fault]:
    run.seen["linked accounts"] = VirtualAccount.objects.filter(linked__isnull=False).count()
    theirs = Q(wallet__member=F("member"), wallet__currency=F("currency"), numbers__currency=F("currency"))
    for pk in VirtualAccount.objects.exclude(theirs).order_by("pk").values_list("pk", flat=True):
        yield f"virtual account {pk}", "it leads into no wallet of its member's in its currency"
    own = Q(linked__member=F("member"), linked__kind=Instrument.Kind.BANK_ACCOUNT)
    linked = VirtualAccount.objects.filter(linked__isnull=False)
    for pk in linked.exclude(own).order_by("pk").values_list("pk", flat=True):
        yield f"virtual account {pk}", "it is linked to no bank account of its member's"
    left = VirtualAccount.objects.living().filter(wallet__state=Wallet.State.CLOSED)
    for pk in left.order_by("pk").values_list("pk", flat=True):
        yield f"virtual account {pk}", "its wallet is closed, and it is not"


@check(
    "cards.purposes_follow_credits",
    "What came for a purpose is what its credits put there, and its state is what follows of that.",
)
def purposes_follow_credits(run: Run) -> Iterator[Fault]:
    wanted = VirtualAccount.objects.filter(kind=VirtualAccount.Kind.PURPOSE)
    run.seen["purposes"] = wanted.count()
    came, given = _sum("account", "booked_minor"), _sum("counted_for", "aside_minor")
    found = wanted.annotate(came=came, given=given).order_by("pk")
    columns = ("pk", "expected_minor", "paid_minor", "purpose", "expires_on", "came", "given")
    for pk, expected, paid, purpose, last_day, came_in, assigned in found.values_list(*columns):
        total = came_in + assigned
        if total != paid:
            yield f"virtual account {pk}", f"it says {paid} came, and its credits are {total}"
        expired = purpose == Purpose.EXPIRED
        follows = purposes.served(expected=expected, paid=total, expired=expired)
        if purpose != follows or (expired and last_day is None):
            yield f"virtual account {pk}", f"its purpose is {purpose}, and of what came follows {follows}"
        if purpose in VirtualAccount.UNSERVED and last_day is not None and last_day < clock.today() - _FORGOTTEN:
            yield f"virtual account {pk}", f"its purpose is {purpose}, and its last day was {last_day}"


def _sum(path: str, column: str) -> Coalesce:
    credits_ = BankCredit.objects.filter(**{path: OuterRef("pk")}).order_by().values(path)
    return Coalesce(Subquery(credits_.annotate(total=Sum(column)).values("total")), 0, output_field=IntegerField())


@check("cards.payers_decrypt", "The payer whom an account is for opens.", whole=True)
def payers_decrypt(run: Run) -> Iterator[Fault]:
    named = VirtualAccount.objects.filter(payer__isnull=False).order_by("pk")
    run.seen["named payers"] = named.count()
    for account in named.iterator():
        try:
            account.payer.decrypt()
        except vault.Undecipherable:
            yield f"virtual account {account.pk}", "the vault cannot open whom it is for"
