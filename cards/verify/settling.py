"""What two people decided about debts and refunds: booked as it was told, and told once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from cards.models import CardAuthorisation, CardMessage
from cards.models.messages import Kind
from cards.queries.deciding import DEBT
from cards.services import losses, refunds_aside, settling, use_books
from paymentsite.core.models import AuditEntry
from paymentsite.core.money import Money
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Journal, Posting
from paymentsite.ledger.services.accounts import HOUSE
from wallets.models import Wallet

_COLUMNS: Final = (
    "source__owner",
    "source__code",
    "target__owner",
    "target__code",
    "target_id",
    "unit",
    "amount_minor",
)


@check(
    "cards.write_offs_are_told",
    "What was written off of a debt was our loss, and the audit trail tells of it once, and of no other.",
)
def write_offs_are_told(run: Run) -> Iterator[Fault]:
    told = Told(settling.DEBT_TOLD)
    journals = list(Journal.objects.posted().filter(scope=losses.WRITTEN_OFF).order_by("pk"))
    run.seen["debts written off"] = len(journals)
    for journal in journals:
        found = moved(journal)
        ends = [(row["source__owner"], row["source__code"], row["target__code"]) for row in found]
        if ends != [(HOUSE, losses.LOSSES, DEBT)]:
            yield f"journal {journal.pk}", "it writes off a debt, and moved something else"
        elif (what := found[0]) and not told.tells(
            journal, what, f"ledger.account:{what['target_id']}", of=what["target__owner"]
        ):
            yield f"journal {journal.pk}", "it writes off a debt, and the audit trail tells otherwise"
    yield from told.idle(journals)


@check(
    "cards.losses_are_made_good",
    "What merchants gave back of a use that we had lost by made that loss good, and no more than it was.",
)
def losses_are_made_good(run: Run) -> Iterator[Fault]:
    ours = Q(source__code=losses.LOSSES) | Q(target__code=losses.LOSSES)
    moved = Posting.objects.filter(ours, journal__scope=use_books.SCOPE).values("journal__source").distinct()
    known = {use.source: use for use in CardAuthorisation.objects.filter(messages__kind=Kind.REFUND).distinct()}
    run.seen["losses made good"] = moved.count()
    for source in sorted(moved.values_list("journal__source", flat=True)):
        use = known.get(source)
        if use is None or losses.recovered(use).minor < 0 or losses.of(use).minor < 0:
            yield f"use {source.partition(':')[2]}", "it gave back another loss than we had by it"


@check(
    "cards.refunds_are_placed",
    "A refund that was put on a wallet, or paid by hand, left suspense for its own member, and the audit trail tells of"
    " it once.",
)
def refunds_are_placed(run: Run) -> Iterator[Fault]:
    messages = CardMessage.objects.select_related("use__member", "card__member")
    for scope, act, seen, what in (
        (refunds_aside.PLACED, settling.REFUND_TOLD, "refunds put on wallets", "it puts a refund on a wallet"),
        (refunds_aside.PAID, settling.PAID_TOLD, "refunds paid by hand", "it pays a refund by hand"),
    ):
        told = Told(act)
        journals = list(Journal.objects.posted().filter(scope=scope).order_by("pk"))
        run.seen[seen] = len(journals)
        for journal in journals:
            message = messages.filter(pk=UUID(journal.reference)).first()
            found = moved(journal)
            if message is None or len(found) != 1 or not _fits(journal, message, found[0]):
                yield f"journal {journal.pk}", f"{what}, and moved something else"
            elif not told.tells(journal, found[0], f"cards.cardmessage:{message.pk}", of=_of(journal, message)):
                yield f"journal {journal.pk}", f"{what}, and the audit trail tells otherwise"
        yield from told.idle(journals)


def moved(journal: Journal) -> list[dict[str, Any]]:
    """What it moved, and from where to where."""
    return list(Posting.objects.filter(journal=journal).values(*_COLUMNS))


def _fits(journal: Journal, message: CardMessage, moved: dict[str, Any]) -> bool:
    """Whether it is what the message had in suspense still, and went where it says."""
    put = refunds_aside.put_aside(message)
    if put is None or not _goes(journal, message, moved):
        return False
    aside = Money(refunds_aside.about(message).before.get(journal.pk, 0), put.unit)
    source = (moved["source__owner"], moved["source__code"])
    return (*source, moved["amount_minor"], moved["unit"]) == (HOUSE, "suspense", aside.minor, aside.unit)


def _goes(journal: Journal, message: CardMessage, moved: dict[str, Any]) -> bool:
    """To a wallet, of the card's member, if of any; or out of the house."""
    if journal.scope == refunds_aside.PAID:
        return message.whose is not None and (moved["target__owner"], moved["target__code"]) == (HOUSE, settling.CASH)
    wallet = Wallet.objects.filter(account=moved["target_id"]).first()
    return wallet is not None and (message.whose is None or message.whose.pk == wallet.member_id)


def _of(journal: Journal, message: CardMessage) -> str:
    """Who got it."""
    if message.whose is not None:
        return message.whose.owner
    return str(Posting.objects.filter(journal=journal).values_list("target__owner", flat=True).get())


class Told:
    """What the audit trail tells of one act, by the journals that it names."""

    def __init__(self, act: str) -> None:
        entries = AuditEntry.objects.filter(act=act).order_by("pk").values_list("subject", "after")
        self.entries = [(subject, after or {}) for subject, after in entries]
        self.times = Counter(str(after.get("journal")) for _subject, after in self.entries)
        self.known = {str(after.get("journal")): (subject, after) for subject, after in self.entries}

    def tells(self, journal: Journal, moved: dict[str, Any], about: str, *, of: str | None) -> bool:
        """Once, with the amount, and where it is ``of`` a member with whom."""
        subject, after = self.known.get(str(journal.pk), ("", {}))
        amount = {"amount": moved["amount_minor"], "currency": moved["unit"]}
        owner = f"members.member:{of.partition(':')[2]}" if of else None
        said = (self.times[str(journal.pk)], subject, after.get("amount"), after.get("member"))
        return said == (1, about, amount, owner)

    def idle(self, journals: list[Journal]) -> Iterator[Fault]:
        posted = {str(journal.pk) for journal in journals}
        for name in sorted(self.known.keys() - posted):
            yield f"journal {name}", "the audit trail tells of it, and it is none of those"
