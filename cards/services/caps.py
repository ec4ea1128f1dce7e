"""Which sets of controls hold for a card, and how far each cap in them is used."""

from collections.abc import Iterator
from datetime import datetime

from cards import control_rules
from cards.control_rules import Controls, Reading, Span
from cards.queries.deciding import Facts


def in_force(controls: dict[str, Controls]) -> dict[str, Controls]:
    """By scope: the product's, in the place of which stands what was raised for the card."""
    found = dict(controls)
    if raised := found.pop("raised", None):
        found["product"] = raised
    return found


def readings(facts: Facts, currency: str) -> Iterator[tuple[str, Reading]]:
    """How far each cap of the card, of its product and of all the member's cards is used before."""
    for scope, controls in in_force(facts.controls).items():
        counted = "member" if scope == "member" else "card"
        for cap in controls.caps:
            if not cap.counts(currency):
                continue
            if cap.span == Span.EACH:
                yield scope, Reading(cap, None)
                continue
            used = facts.used[counted, cap.measure, cap.span]
            yield scope, Reading(cap, used, _resets_at(facts, cap.span))


def _resets_at(facts: Facts, span: Span) -> datetime | None:
    period = control_rules.CALENDAR.get(span)
    return facts.windows[period].resets_at if period else None
