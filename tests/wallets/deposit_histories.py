"""Histories of two small deposits each, lived like those of other orders; see ``order_histories``."""

import random
from datetime import datetime

from django.db.models import Min

from paymentsite.ledger.models import Journal
from tests.members.factories import reachable
from tests.wallets import deposits
from tests.wallets.crashing import Fate
from tests.wallets.gateways import gateway
from tests.wallets.order_histories import FAILED_FIRST, NEVER, History
from wallets.gateways.base import OrderKind, Outcome
from wallets.gateways.scripts import OUTCOMES
from wallets.models import AccountProof, ProofDeposit

_SCOPES = ("wallets.proof_deposit", "wallets.proof_deposit.return")


class DepositHistory(History):
    """Deposits to an account to which the sandbox pays them as ``ending`` says."""

    def arrange(self) -> None:
        super().arrange()
        reachable(self.purse.member)

    def request(self) -> None:
        deposits.start(deposits.account(self.ending, of=self.purse.member))

    def _next_question(self) -> datetime:
        """The next of any: there are two."""
        due = ProofDeposit.objects.filter(member=self.purse.member).aggregate(at=Min("next_query_at"))["at"]
        return due or NEVER

    def check(self) -> str:
        """Each as the gateway remembers it, and the proof as they are."""
        proofs = AccountProof.objects.filter(account__member=self.purse.member, means="deposits").order_by("pk")
        for proof in proofs:
            sent = deposits.sent(proof)
            if wrong := [found for order in sent if (found := _wrong(order))]:
                return f"{self}: {wrong}"
            lost = any(each.state in {"failed", "returned"} or each.moved != each.amount for each in sent)
            # What failed for a while failed the proof, and came all the same.
            wanted = {"failed", "waiting"} if self.ending == FAILED_FIRST else {"failed" if lost else "waiting"}
            if len(sent) != 2 or proof.state not in wanted:
                return f"{self}: {len(sent)} deposits, and the proof is {proof.state}"
        return ""


def _wrong(order: ProofDeposit) -> str:
    """What is not as the gateway remembers; nothing when all is well."""
    truth = gateway().query(order.public_id.hex, OrderKind.PAYOUT)
    moved = truth.amount.minor if truth.amount else 0
    match truth.outcome:
        case Outcome.SUCCEEDED:
            wanted = ("succeeded", moved, 1) if moved else ("failed", 0, 0)
        case Outcome.RETURNED if moved != order.amount_minor:
            wanted = ("succeeded", order.amount_minor - moved, 1)
        case Outcome.RETURNED if order.journal_id is None:
            # It was never heard of before.
            wanted = ("returned", 0, 0)
        case Outcome.RETURNED:
            wanted = ("returned", moved, 2)
        case Outcome.REQUIRES_ACTION:
            wanted = ("requires_action", 0, 0)
        case Outcome.FAILED:
            wanted = ("failed", 0, 0)
        case _:
            wanted = ("unknown", 0, 0)
    journals = Journal.objects.posted().filter(source=order.source, scope__in=_SCOPES).count()
    seen = (str(order.state), order.moved.minor if order.journal_id else 0, journals)
    return "" if seen == wanted else f"{seen}, should be {wanted}"


def random_deposits(seed: int) -> DepositHistory:
    """Of all endings, with one to three deaths somewhere on the way."""
    dice = random.Random(f"deposits {seed}")
    moments = [*(("commit", number) for number in range(1, 15)), *(("call", number) for number in range(1, 6))]
    deaths = [(*dice.choice(moments), dice.choice(("before", "after"))) for _ in range(dice.randint(1, 3))]
    return DepositHistory(
        kind="proof_deposit",
        ending=dice.choice([0, *OUTCOMES]),
        fate=Fate(*deaths),
        mess=random.Random(f"mess {seed}"),
        retries=dice.randint(1, 3),
    )
