"""Credits by banks against the books, the trail and what waits for people."""

from collections.abc import Iterator
from typing import Final

from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from cards.models import BankCredit, VirtualAccount
from cards.services.bank_bookings import SCOPE, SETTLED, id_of
from cards.services.bank_credits import ASIDE
from members.models import Member
from paymentsite.core import vault
from paymentsite.core.models import OpenItem
from paymentsite.core.vault.fields import Encrypted
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Journal
from wallets.verify.reading import rows

# What a journal moved between a credit's bank, a wallet and suspense.
_MOVED: Final = """COALESCE((
        SELECT SUM(p.amount_minor) FROM ledger_posting p JOIN ledger_account s ON s.id = p.source_id
        JOIN ledger_account t ON t.id = p.target_id
        WHERE p.journal_id = j.id AND p.unit = c.currency AND {between}
    ), 0)"""
_AT_BANK: Final = "{side}.owner = 'bank:' || b.code AND {side}.code = 'clearing'"
_ASIDE: Final = "{side}.owner = 'house:paymentsite' AND {side}.code = 'bank suspense'"


def _moved(*between: str) -> str:
    return _MOVED.format(between=" AND ".join(between))


_FROM_BANK, _TO_BANK = _AT_BANK.format(side="s"), _AT_BANK.format(side="t")
_FROM_ASIDE, _TO_ASIDE = _ASIDE.format(side="s"), _ASIDE.format(side="t")

_BOOKED_OTHERWISE: Final = f"""
SELECT c.id FROM cards_bankcredit c JOIN cards_bank b ON b.id = c.bank_id
JOIN ledger_journal j ON j.id = c.journal_id
LEFT JOIN cards_virtualaccount v ON v.id = c.account_id LEFT JOIN wallets_wallet w ON w.id = v.wallet_id
WHERE NOT (j.scope = '{SCOPE}' AND j.reference = {{uuid:c.public_id}} AND j.refusal IS NULL
    AND (SELECT COUNT(*) FROM ledger_posting p WHERE p.journal_id = j.id)
        = CASE WHEN c.booked_minor > 0 THEN 1 ELSE 0 END + CASE WHEN c.aside_minor > 0 THEN 1 ELSE 0 END
    AND {_moved(_FROM_BANK, "p.target_id = w.account_id")} = c.booked_minor
    AND {_moved(_FROM_BANK, _TO_ASIDE)} = c.aside_minor)
ORDER BY c.id
"""  # noqa: S608  names of our own
_SETTLED_OTHERWISE: Final = f"""
SELECT c.id, c.outcome FROM cards_bankcredit c JOIN cards_bank b ON b.id = c.bank_id
JOIN ledger_journal j ON j.id = c.settled_journal_id LEFT JOIN wallets_wallet w ON w.id = c.assigned_to_id
WHERE NOT (j.scope = '{SETTLED}' AND j.reference = {{uuid:c.public_id}} AND j.refusal IS NULL
    AND (SELECT COUNT(*) FROM ledger_posting p WHERE p.journal_id = j.id) = 1
    AND CASE WHEN c.outcome = 'assigned' THEN {_moved(_FROM_ASIDE, "p.target_id = w.account_id")}
        ELSE {_moved(_FROM_ASIDE, _TO_BANK)} END = c.aside_minor)
ORDER BY c.id
"""  # noqa: S608  names of our own
_SUSPENSE: Final = f"""
SELECT unit, SUM(stands), SUM(open) FROM (
    SELECT p.unit AS unit, p.amount_minor AS stands, 0 AS open
    FROM ledger_account t JOIN ledger_posting p ON p.target_id = t.id WHERE {_TO_ASIDE}
    UNION ALL SELECT p.unit, -p.amount_minor, 0
    FROM ledger_account s JOIN ledger_posting p ON p.source_id = s.id WHERE {_FROM_ASIDE}
    UNION ALL SELECT c.currency, 0, c.aside_minor FROM cards_bankcredit c WHERE c.outcome = 'suspended'
) AS each_one GROUP BY unit HAVING SUM(stands) <> SUM(open) ORDER BY unit
"""  # noqa: S608  names of our own
_APART: Final = """
SELECT c.id, c.outcome, e.act, COALESCE(t.times, 0) FROM cards_bankcredit c
LEFT JOIN (
    SELECT subject, MAX(id) AS last_id, COUNT(*) AS times FROM core_auditentry WHERE act LIKE 'bank_credit.%'
    GROUP BY subject
) t ON t.subject = 'cards.bankcredit:' || c.id
LEFT JOIN core_auditentry e ON e.id = t.last_id
WHERE e.id IS NULL OR e.act <> 'bank_credit.' || c.outcome
    OR t.times <> CASE WHEN c.outcome IN ('assigned', 'returned') THEN 2 ELSE 1 END
ORDER BY c.id
"""


@check(
    "cards.credit_booked_once",
    "Each credit by a bank was booked once, in one journal of its own, to the wallet and aside, as it says.",
    whole=True,
)
def credit_booked_once(run: Run) -> Iterator[Fault]:
    run.seen["credits by banks"] = BankCredit.objects.count()
    for (pk,) in rows(_BOOKED_OTHERWISE):
        yield f"bank credit {pk}", "its journal moved something else"
    yield from _lonely(SCOPE, "journal")


@check(
    "cards.credit_settled_once",
    "What was set aside of a credit and decided went whole where the decision says, once, and none else went.",
    whole=True,
)
def credit_settled_once(run: Run) -> Iterator[Fault]:
    run.seen["decided credits"] = BankCredit.objects.filter(settled_journal__isnull=False).count()
    for pk, outcome in rows(_SETTLED_OTHERWISE):
        yield f"bank credit {pk}", f"it is {outcome}, and its journal moved something else"
    yield from _lonely(SETTLED, "settled_journal")


def _lonely(scope: str, column: str) -> Iterator[Fault]:
    named = BankCredit.objects.filter(**{f"{column}__isnull": False}).values(column)
    for journal in Journal.objects.posted().filter(scope=scope).exclude(pk__in=named).order_by("pk"):
        yield f"journal {journal.pk}", "it moves a credit by a bank, and no credit names it"


@check("cards.suspense_is_open_credits", "What stands in suspense of banks is what credits that are set aside sum to.")
def suspense_is_open_credits(run: Run) -> Iterator[Fault]:
    run.seen["credits that are set aside"] = BankCredit.objects.aside().count()
    for unit, stands, left in rows(_SUSPENSE):
        yield f"suspense of banks {unit}", f"{stands} stand there, and credits that are set aside sum to {left}"


@check("cards.credits_wait_for_people", "A credit of which something is set aside is before a person, and no other is.")
def credits_wait_for_people(run: Run) -> Iterator[Fault]:
    del run
    subject = Concat(Value("cards.bankcredit:"), Cast(OuterRef("pk"), CharField()))
    waits = Exists(OpenItem.objects.open().filter(kind=ASIDE, subject=subject))
    for pk in BankCredit.objects.aside().filter(~waits).order_by("pk").values_list("pk", flat=True):
        yield f"bank credit {pk}", "it is set aside, and no person looks"
    others = BankCredit.objects.exclude(outcome=BankCredit.Outcome.SUSPENDED).filter(waits)
    for pk in others.order_by("pk").values_list("pk", flat=True):
        yield f"bank credit {pk}", "a person is to look at it, and nothing of it is set aside"


@check("cards.credits_are_told", "What became of each credit by a bank is what the audit trail last tells.")
def credits_are_told(run: Run) -> Iterator[Fault]:
    del run
    for pk, outcome, act, times in rows(_APART):
        yield f"bank credit {pk}", f"it is {outcome}; last told, of {times} times: {act or 'nothing'}"


@check(
    "cards.credits_decrypt",
    "What banks told of a credit opens, names the account that it was booked for, and gives it its id.",
    whole=True,
)
def credits_decrypt(run: Run) -> Iterator[Fault]:
    del run
    for credit in BankCredit.objects.select_related("bank", "account__numbers").order_by("pk").iterator():
        try:
            number = credit.number.decrypt()
            for held in (credit.payer_name, credit.payer_account, credit.note):
                _open(held)
        except vault.Undecipherable:
            yield f"bank credit {credit.pk}", "the vault cannot open it"
            continue
        if credit.number_digest not in vault.digests(number, label="bank_credit.number"):
            yield f"bank credit {credit.pk}", "it is not found by its number"
        if credit.account and not _led(credit, credit.account, number.reveal()):
            yield f"bank credit {credit.pk}", "its number leads to another account than it says"
        if credit.public_id != id_of(credit.bank, credit.reference):
            yield f"bank credit {credit.pk}", "its id is not that of its bank's reference"


def _open(held: Encrypted | None) -> None:
    """Raise ``Undecipherable`` where something is held that does not open."""
    if held is not None:
        held.decrypt()


def _led(credit: BankCredit, account: VirtualAccount, number: str) -> bool:
    whose = (account.number, account.numbers.bank_id, account.member_id)
    return whose == (number, credit.bank_id, credit.member_id)


@check("cards.erased_hold_no_payers", "Of an erased member no word is left, nor who paid to their account numbers.")
def erased_hold_no_payers(run: Run) -> Iterator[Fault]:
    erased = Member.objects.filter(erased_at__isnull=False).values("pk")
    if not run.seen.setdefault("erased members", erased.count()):
        return
    accounts = VirtualAccount.objects.filter(member__in=erased)
    for pk in accounts.exclude(label="", payer__isnull=True).order_by("pk").values_list("pk", flat=True):
        yield f"virtual account {pk}", "its member is erased, and it says what it is for"
    told = BankCredit.objects.filter(Q(member__in=erased) | Q(member=None, assigned_to__member__in=erased))
    silent = Q(payer_name__isnull=True, payer_account__isnull=True, note__isnull=True)
    for pk in told.exclude(silent).order_by("pk").values_list("pk", flat=True):
        yield f"bank credit {pk}", "its member is erased, and it says who paid"
