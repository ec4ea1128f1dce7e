"""Uses of cards follow from their messages, and move in the books what these say."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from cards.chain_rules import Figures
from cards.models import Card, CardAuthorisation, CardMessage
from cards.models.messages import Kind, Outcome
from cards.queries.deciding import DEBT
from cards.services import debts, losses, refunds_aside, use_books
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Balance, Hold, Journal, Posting
from paymentsite.ledger.services.accounts import HOUSE
from wallets.services import exchanges, fees

_CHUNK: Final = 2_000
_TAKEN: Final = (Kind.CAPTURE, Kind.REFUND_REVERSAL)


@check("cards.use_follows_messages", "Each use of a card is what its messages come to, and stands as they say.")
def use_follows_messages(run: Run) -> Iterator[Fault]:
    run.seen["uses of cards"] = CardAuthorisation.objects.count()
    run.seen["messages about uses"] = CardMessage.objects.count()
    figures, units = _figures(), _units()
    for use in CardAuthorisation.objects.order_by("pk").iterator(chunk_size=_CHUNK):
        told = figures.pop(use.pk, Figures())
        if use.figures != told:
            yield f"use {use.pk}", f"its sums are not those of its messages: {_apart(use.figures, told)}"
            continue
        kept = (use.state, use.ended, use.counted_minor, use.counted)
        use.become(told)
        if (use.state, use.ended, use.counted_minor, use.counted) != kept:
            yield f"use {use.pk}", f"it stands as {kept[0]}, by its messages as {use.state}"
        elif use.merchant_currency != units.get(use.pk, ""):
            yield f"use {use.pk}", f"it is counted in {use.merchant_currency} at its merchant, its first amount is not"


def _figures() -> dict[Any, Figures]:
    """What the messages of each use come to."""
    minors = ("there_minor", "merchant_minor", "card_minor", "approved_minor", "aside_minor")
    messages = CardMessage.objects.exclude(use=None).order_by("use_id", "pk")
    rows = messages.values_list("use_id", "kind", "outcome", *minors, "final").iterator(chunk_size=_CHUNK)
    return {use: _sum(row[1:] for row in told) for use, told in groupby(rows, key=lambda row: row[0])}


def _units() -> dict[Any, str]:
    """In which currency the first amount of each use was told."""
    told = CardMessage.objects.exclude(use=None).exclude(merchant_minor=None).order_by("-at", "-pk")
    return dict(told.values_list("use_id", "merchant_currency").iterator(chunk_size=_CHUNK))


def _sum(messages: Iterator[Any]) -> Figures:
    found = Figures()
    for kind, outcome, there, said, minor, approved, aside, final in messages:
        match kind:
            case Kind.AUTHORISATION | Kind.INCREMENT | Kind.ADVICE if outcome != Outcome.DECLINED:
                found = found.approve(there, approved, aside)
            case Kind.REVERSAL:
                found = found.reverse(None if said is None else there)
            case Kind.CAPTURE:
                found = found.capture(there, minor, final=final)
            case Kind.REFUND:
                found = found.refund(there, minor)
            case Kind.REFUND_REVERSAL:
                found = found.refund(-there, -minor)
            case Kind.EXPIRY:
                found = found.lapse()
    return found


def _apart(use: Figures, told: Figures) -> str:
    return ", ".join(
        f"{name} {getattr(use, name)} instead of {getattr(told, name)}"
        for name in Figures.__dataclass_fields__
        if getattr(use, name) != getattr(told, name)
    )


@check(
    "cards.use_is_held", "Of a use no more is set aside than may still be captured, and nothing of one that is over."
)
def use_is_held(_: Run) -> Iterator[Fault]:
    for use in CardAuthorisation.objects.exclude(hold=None).select_related("hold").order_by("pk").iterator(_CHUNK):
        left = use.hold.left.minor if use.hold else 0
        if left > use.figures.held or (use.hold and use.hold.account_id != use.account_id):
            yield f"use {use.pk}", f"{left} are set aside on account {use.hold and use.hold.account_id}"
    loose = (
        Hold.objects.open()
        .filter(pk__in=_holds_of_cards())
        .exclude(pk__in=CardAuthorisation.objects.exclude(hold=None).values("hold"))
    )
    for pk in loose.order_by("pk").values_list("pk", flat=True):
        yield f"hold {pk}", "is set aside for a use that does not know it"


def _holds_of_cards() -> QuerySet[Any, Any]:
    return Journal.objects.filter(scope=use_books.SCOPE, hold_events__kind="placed").values("hold_events__hold")


@check(
    "cards.message_is_posted",
    "Each message moved what it says, once, in a journal of its own, and no journal lacks one.",
)
def message_is_posted(_: Run) -> Iterator[Fault]:
    posted = CardMessage.objects.exclude(use=None)
    own = Posting.objects.filter(journal=OuterRef("journal"))
    owner = OuterRef("use__account__owner")
    # What is taken back of a refund that stands in suspense, or that made a loss good, comes from there.
    ours_aside = Q(source__owner=HOUSE, source__code__in=[refunds_aside.SUSPENSE, losses.LOSSES])
    theirs = Q(source__owner=owner) | ours_aside
    out = own.filter(theirs).exclude(target__owner=owner).order_by().values("journal")
    back = own.filter(source__owner__startswith="processor:").order_by().values("journal")
    through = own.filter(source__code="position", target__unit=OuterRef("use__currency")).order_by().values("journal")
    owed = own.filter(source__code=DEBT).order_by().values("journal")
    ours = {
        name: own.filter(target__owner=HOUSE, target__code=code).order_by().values("journal")
        for name, code in (("margin", exchanges.MARGIN), ("fee", fees.HOUSE))
    }
    total = Sum("amount_minor")
    rows = posted.annotate(
        out=Coalesce(Subquery(out.annotate(sum=total).values("sum")), 0),
        back=Coalesce(Subquery(back.filter(unit=OuterRef("use__currency")).annotate(sum=total).values("sum")), 0)
        + Coalesce(Subquery(through.annotate(sum=total).values("sum")), 0),
        owed=Coalesce(Subquery(owed.annotate(sum=total).values("sum")), 0),
        **{name: Coalesce(Subquery(found.annotate(sum=total).values("sum")), 0) for name, found in ours.items()},
    )
    earned = Q(margin=F("margin_minor"), fee=F("fee_minor"))
    wrong = (
        Q(kind__in=_TAKEN) & (~Q(out=F("card_minor")) | ~Q(owed=F("debt_minor")) | ~earned)
        | Q(kind=Kind.REFUND) & ~Q(back=F("card_minor"))
        | ~Q(kind__in=[*_TAKEN, Kind.REFUND]) & (~Q(out=0) | ~Q(debt_minor=0))
        | ~Q(kind__in=_TAKEN) & (~Q(margin=0) | ~Q(fee=0))
    )
    for pk, kind, minor in rows.filter(wrong).order_by("pk").values_list("pk", "kind", "card_minor"):
        yield f"message {pk}", f"it is a {kind} of {minor}, and its journal moved something else"
    lonely = Journal.objects.posted().filter(scope=use_books.SCOPE)
    for pk in lonely.exclude(pk__in=CardMessage.objects.exclude(journal=None).values("journal")).values_list(
        "pk", flat=True
    ):
        yield f"journal {pk}", "it is about a use of a card, and no message names it"


@check(
    "cards.uses_are_counted",
    "A card counts what its uses come to, and each of them once against how often it may be used.",
)
def uses_are_counted(_: Run) -> Iterator[Fault]:
    uses = CardAuthorisation.objects.filter(card=OuterRef("pk")).order_by().values("card")
    sums = {
        name: Coalesce(Subquery(uses.annotate(sum=Sum(name)).values("sum")), 0) for name in ("counted_minor", "counted")
    }
    told = Card.objects.annotate(uses_minor=sums["counted_minor"], uses_number=sums["counted"])
    wrong = told.exclude(counted_minor=F("uses_minor"), counted=F("uses_number"))
    for pk in wrong.order_by("pk").values_list("pk", flat=True):
        yield f"card {pk}", "what it counts is not what its uses come to"
    began = Q(authorisations__authorised_minor__gt=0) | Q(authorisations__captured_minor__gt=0)
    times: dict[int | None, int] = {None: 0}
    limited = Card.objects.exclude(uses_max=None).annotate(times=Count("authorisations", filter=began)).order_by("pk")
    rows = limited.values_list("pk", "replaces_id", "uses_max", "uses_left", "times")
    for pk, replaces, uses_max, uses_left, number in rows.iterator(_CHUNK):
        most, left = uses_max or 0, uses_left or 0
        # What was used of the card before it counts too, and more than may be is told afterwards, not asked.
        times[pk] = number + times[replaces]
        if most - left != min(times[pk], most):
            yield f"card {pk}", f"{most - left} of its uses are taken, it was used {times[pk]} times"


@check(
    "cards.debts_are_booked",
    "What members owe is what cards took beyond what there was, less what was paid of it or written off.",
)
def debts_are_booked(run: Run) -> Iterator[Fault]:
    owed: dict[tuple[str, str], int] = {}
    rows = CardMessage.objects.exclude(debt_minor=0).values_list("use__account__owner", "use__currency", "debt_minor")
    for owner, unit, minor in rows.iterator(_CHUNK):
        owed[owner, unit] = owed.get((owner, unit), 0) + minor
    # A refund that no account can take pays what its member owes, too.
    less = [debts.SCOPE, losses.WRITTEN_OFF, use_books.SCOPE]
    paid = Posting.objects.filter(journal__scope__in=less, target__code=DEBT)
    for owner, unit, minor in paid.values_list("target__owner", "unit").annotate(sum=Sum("amount_minor")):
        owed[owner, unit] = owed.get((owner, unit), 0) - minor
    balances = Balance.objects.filter(account__code=DEBT)
    found = {
        (owner, unit): -posted
        for owner, unit, posted in balances.values_list("account__owner", "account__unit", "posted_minor")
    }
    run.seen["debts of cards"] = len(found)
    for key in sorted(owed.keys() | found.keys()):
        if owed.get(key, 0) != found.get(key, 0) or found.get(key, 0) < 0:
            yield (
                f"{key[0]} in {key[1]}",
                f"{found.get(key, 0)} are owed by the books, {owed.get(key, 0)} by the messages",
            )
