"""What happened to orders, event by event, against the audit trail."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check
from wallets.models import GatewayOrder, OrderEvent
from wallets.models.orders import ORDER_KINDS
from wallets.services.orders import TOLD

_CHUNK: Final = 1_000
_SAID: Final = ("origin", "state", "outcome", "gateway")
Said = list[tuple[Any, ...]]


@check(
    "wallets.order_events_are_told",
    "What happened to an order is what the audit trail tells, one by one: nothing is gone, nothing was put in between.",
    whole=True,
)
def order_events_are_told(run: Run) -> Iterator[Fault]:
    run.seen["events of orders"] = OrderEvent.objects.count()
    for kind in ORDER_KINDS:
        orders = iter(kind.objects.order_by("pk").values_list("pk", "public_id").iterator(chunk_size=_CHUNK))
        while some := dict(islice(orders, _CHUNK)):
            happened, told = _happened(kind, list(some)), _told(kind, list(some))
            for pk, public_id in some.items():
                if happened[pk] != told[pk]:
                    yield f"{kind.noun} {public_id}", _apart(happened[pk], told[pk])


def _happened(kind: type[GatewayOrder], pks: list[int]) -> dict[int, Said]:
    """By order what its rows say, in their order."""
    found: dict[int, Said] = defaultdict(list)
    events = OrderEvent.objects.filter(**{f"{kind.noun}__in": pks}).order_by("pk")
    for pk, *said in events.values_list(kind.noun, "actor", *_SAID):
        found[pk].append(tuple(said))
    return found


def _told(kind: type[GatewayOrder], pks: list[int]) -> dict[int, Said]:
    """The same by the audit trail."""
    found: dict[int, Said] = defaultdict(list)
    names = {f"{kind._meta.label_lower}:{pk}": pk for pk in pks}
    entries: Any = AuditEntry.objects.filter(act=TOLD, subject__in=names).order_by("pk")
    for subject, by, after in entries.values_list("subject", "by", "after"):
        found[names[subject]].append((by, *(after[name] for name in _SAID)))
    return found


def _apart(happened: Said, told: Said) -> str:
    for place, (row, entry) in enumerate(zip(happened, told, strict=False), 1):
        if row != entry:
            return f"its event {place} says {' '.join(map(str, row))}, told was {' '.join(map(str, entry))}"
    return f"it has {len(happened)} events, told were {len(told)}"
