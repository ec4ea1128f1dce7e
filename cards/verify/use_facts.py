"""What a use is besides its sums: whose account it spends, how long it may be captured, where its card is bound."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q

from cards.models import Card, CardAuthorisation, CardMessage
from cards.models.messages import Kind, Outcome
from cards.services import refunds_aside, telling, uses
from paymentsite.core.disclosure import named
from paymentsite.core.models import OpenItem
from paymentsite.core.verification import Fault, Run, check

_CHUNK: Final = 2_000
_BOUND: Final = (Card.Use.MERCHANT, Card.Use.SUBSCRIPTION)
_ASKS: Final = {Kind.AUTHORISATION, Kind.INCREMENT}


@check(
    "cards.uses_lapse_in_time",
    "A use spends its card's account and counts since it was last approved, and lapses when such merchants are late.",
)
def uses_lapse_in_time(run: Run) -> Iterator[Fault]:
    del run
    others = CardAuthorisation.objects.exclude(account=F("card__account"), member=F("card__member"))
    for pk in others.order_by("pk").values_list("pk", flat=True):
        yield f"use {pk}", "it spends another account than its card does"
    since = _since()
    for use in CardAuthorisation.objects.order_by("pk").iterator(chunk_size=_CHUNK):
        if use.at != since.get(use.pk):
            yield f"use {use.pk}", f"it counts since {use.at}, by its messages since {since.get(use.pk)}"
        elif use.expires_at != (None if use.ended else uses.last_moment(use)):
            yield f"use {use.pk}", f"it lapses at {use.expires_at}, which is not its time"


def _since() -> dict[Any, datetime]:
    """Since when each use counts: its last approval, and before it came to anything, whatever was last said."""
    rows = (
        CardMessage.objects.exclude(use=None)
        .order_by("use_id", "at", "pk")
        .values_list("use_id", "at", "kind", "outcome", "approved_minor", "card_minor")
    )
    found: dict[Any, datetime] = {}
    for use, told in groupby(rows.iterator(chunk_size=_CHUNK), key=lambda row: row[0]):
        began = False
        for _use, when, kind, outcome, approved, minor in told:
            if not began or (kind in _ASKS and outcome != Outcome.DECLINED):
                found[use] = when
            began = began or approved > 0 or (kind == Kind.CAPTURE and (minor or 0) > 0)
    return found


@check(
    "cards.bound_to_where_used",
    "A card for one merchant is bound to one where it, or what it stands in the place of, was used, as soon as it was.",
)
def bound_to_where_used(run: Run) -> Iterator[Fault]:
    del run
    began = Q(authorised_minor__gt=0) | Q(captured_minor__gt=0)
    used = CardAuthorisation.objects.filter(began)
    free = Card.objects.filter(Exists(used.filter(card=OuterRef("pk"))), use__in=_BOUND, merchant="")
    for pk in free.order_by("pk").values_list("pk", flat=True):
        yield f"card {pk}", "it was used, and is bound to no merchant"
    known: dict[int | None, set[str]] = {None: set()}
    there: dict[int, set[str]] = {}
    for card, merchant in used.filter(card__use__in=_BOUND).values_list("card_id", "merchant").distinct():
        there.setdefault(card, set()).add(merchant)
    cards = Card.objects.filter(use__in=_BOUND).order_by("pk")
    for pk, replaces, merchant in cards.values_list("pk", "replaces_id", "merchant").iterator(_CHUNK):
        known[pk] = known.get(replaces, set()) | there.get(pk, set())
        if merchant and merchant not in known[pk]:
            yield f"card {pk}", f"it is bound to {merchant}, where it was never used"


@check(
    "cards.refunds_wait_for_people",
    "A use of which a refund stands in suspense is before a person, and no other is.",
)
def refunds_wait_for_people(run: Run) -> Iterator[Fault]:
    del run
    refunds = CardMessage.objects.filter(kind=Kind.REFUND, journal__postings__target__code=refunds_aside.SUSPENSE)
    touched = CardAuthorisation.objects.filter(pk__in=refunds.values("use")).order_by("pk")
    aside = {named(use): f"use {use.pk}" for use in touched.iterator() if refunds_aside.of(use).total}
    waits = set(OpenItem.objects.open().filter(kind=telling.STUCK).values_list("subject", flat=True))
    for subject in sorted(aside.keys() - waits):
        yield aside[subject], "a refund of it is in suspense, and no person looks"
    for subject in sorted(waits - aside.keys()):
        yield subject, "a person is to look at it, and nothing of it is in suspense"
