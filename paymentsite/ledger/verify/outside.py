"""What others keep: every act that was acknowledged to them is in the books, once."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Journal

_CHUNK = 1_000


@check("ledger.acknowledged_once", "What was acknowledged is in the books, posted, once.", needs="external")
def acknowledged_once(run: Run) -> Iterator[Fault]:
    references: dict[str, list[str]] = defaultdict(list)
    for of, reference in dict.fromkeys(run.outside["external"]):
        references[of].append(reference)
    for of, known in references.items():
        for start in range(0, len(known), _CHUNK):
            yield from _faults(of, known[start : start + _CHUNK])
    run.seen["acknowledged references"] = sum(map(len, references.values()))


def _faults(of: str, references: list[str]) -> Iterator[Fault]:
    found: Counter[str] = Counter()
    refused = set()
    journals = Journal.objects.filter(scope=of, reference__in=references)
    for reference, refusal in journals.values_list("reference", "refusal"):
        found[reference] += 1
        if refusal is not None:
            refused.add(reference)
    for reference in references:
        subject = f"reference {of} {reference}"
        if found[reference] != 1:
            yield subject, f"was acknowledged, and stands in {found[reference] or 'no'} journals"
        elif reference in refused:
            yield subject, "was acknowledged, and is in the books as refused"
