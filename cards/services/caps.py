"""Which sets of controls hold for a card, and how far each cap in them is used."""

from collections.abc import Iterator
from datetime import datetime

from cards import control_rules
from cards.control_rules import Cap, Controls, Measure, Reading, Span
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


def takes(facts: Facts, cap: Cap, amount: int) -> int:
    """What ``amount`` more takes of a cap. A use counts whole since it was last approved: one that began before the
    cap's span comes into it with all that it is."""
    if not amount:
        return 0
    taken, begun = facts.use.counted_minor if facts.use else 0, facts.since.get(cap.span)
    enters = facts.use is not None and begun is not None and facts.use.at < begun
    if cap.measure == Measure.COUNT:
        return int(enters or not taken)
    return amount + (taken if enters or cap.span == Span.EACH else 0)


def _resets_at(facts: Facts, span: Span) -> datetime | None:
    period = control_rules.CALENDAR.get(span)
    return facts.windows[period].resets_at if period else None
