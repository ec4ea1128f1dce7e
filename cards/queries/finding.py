"""Finding what processors call by names of their own, through the index that begins with whose names they are."""

from django.db.models import Q

from cards.models import CardAuthorisation, CardMessage

Named = type[CardAuthorisation] | type[CardMessage]


def named_by_processors(model: Named, column: str, name: str) -> Q:
    """Rows whose ``column`` is ``name``, whichever processor calls them so."""
    return Q(processor__in=_processors(model), **{column: name})


def _processors(model: Named) -> list[str]:
    """Each once: there are few, and one probe of the index leads to the next."""
    found: list[str] = []
    rows = model.objects.order_by("processor").values_list("processor", flat=True)
    while (after := rows.filter(processor__gt=found[-1] if found else "").first()) is not None:
        found.append(after)
    return found
