"""Bank accounts and their proofs against the audit trail, and what was moved by way of them."""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat

from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check
from wallets.models import BankAccount, Instrument, TopUp, Withdrawal
from wallets.services.account_proofs import TRIES
from wallets.verify.reading import key, rows

# An account has one proof under way at most, so a wrong answer belongs to the deposits that were last begun before it.
_TRIES: Final = f"""
SELECT p.id, p.tries_left, told.wrong FROM (
    SELECT id, account_id, state, tries_left, ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY id) AS nth
    FROM wallets_accountproof WHERE means = 'deposits'
) p LEFT JOIN (
    SELECT subject, nth, SUM(CASE act WHEN 'account.deposits_wrong' THEN 1 ELSE 0 END) AS wrong FROM (
        SELECT subject, act, SUM(CASE act WHEN 'account.deposits_started' THEN 1 ELSE 0 END)
            OVER (PARTITION BY subject ORDER BY id) AS nth
        FROM core_auditentry WHERE act IN ('account.deposits_started', 'account.deposits_wrong')
    ) each_one GROUP BY subject, nth
) told ON told.subject = 'wallets.instrument:' || CAST(p.account_id AS varchar(20)) AND told.nth = p.nth
WHERE told.subject IS NULL OR p.tries_left <> {TRIES} - told.wrong - CASE p.state WHEN 'passed' THEN 1 ELSE 0 END
UNION ALL SELECT id, tries_left, NULL FROM wallets_accountproof WHERE means = 'name' AND tries_left <> 0
ORDER BY 1
"""  # noqa: S608  our own text
_OTHER_CURRENCY: Final = """
SELECT o.public_id, o.currency, b.currency FROM {table} o
JOIN wallets_bankaccount b ON o.instrument = {{uuid:b.public_id}}
WHERE o.currency <> b.currency OR o.member_id <> b.member_id ORDER BY o.id
"""


@check(
    "wallets.account_verified_as_told",
    "A bank account is verified by what the audit trail last tells, and by nothing where it tells of nothing.",
    whole=True,
)
def account_verified_as_told(run: Run) -> Iterator[Fault]:
    del run
    subject = Concat(Value(f"{Instrument._meta.label_lower}:"), Cast(OuterRef("pk"), CharField()))
    entries = AuditEntry.objects.filter(act="account.verified", subject=subject).order_by("-pk")
    accounts: Any = BankAccount.objects.annotate(told=Subquery(entries.values("after")[:1])).order_by("pk")
    for pk, means, told in accounts.values_list("pk", "verified_by", "told").iterator(chunk_size=2_000):
        if means != (told or ""):
            yield f"instrument {pk}", f"it is verified by {means or 'nothing'}, by the audit trail {told or 'nothing'}"


@check(
    "wallets.proof_tries_are_told",
    "A proof by deposits has all tries left but the wrong ones that the audit trail tells of, and the right one.",
)
def proof_tries_are_told(run: Run) -> Iterator[Fault]:
    del run
    for pk, left, wrong in rows(_TRIES):
        yield f"proof {pk}", f"{left} tries are left; the audit trail tells of {wrong or 0} wrong ones"


@check(
    "wallets.order_is_in_account_currency",
    "What was topped up from a bank account, or withdrawn to it, was its member's and in its currency.",
)
def order_is_in_account_currency(run: Run) -> Iterator[Fault]:
    del run
    for kind in (TopUp, Withdrawal):
        for order, asked, of_account in rows(_OTHER_CURRENCY.format(table=kind._meta.db_table)):
            yield (
                f"{kind.noun} {key(order)}",
                f"it is in {asked}, its bank account is another member's or in {of_account}",
            )
