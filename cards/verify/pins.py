"""PINs of cards: each opens, and was set by an act."""

from collections.abc import Iterator

from cards.models import CardPin
from cards.models.pins import LABEL
from paymentsite.core import vault
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret
from paymentsite.core.vault.errors import Undecipherable
from paymentsite.core.verification import Fault, Run, check

SET = "card.pin_set"


@check("cards.pins_are_set", "Each PIN of a card opens beside it, and those are there that the audit trail tells of.")
def pins_are_set(run: Run) -> Iterator[Fault]:
    told = set(AuditEntry.objects.filter(act=SET).values_list("subject", flat=True))
    run.seen["PINs of cards"] = CardPin.objects.count()
    for pin in CardPin.objects.order_by("pk").iterator(chunk_size=1_000):
        subject = f"cards.card:{pin.card_id}"
        if subject not in told:
            yield f"card {pin.card_id}", "has a PIN that nobody set"
        told.discard(subject)
        try:
            vault.verify_pin(Secret(""), pin.hashed.envelope, label=LABEL, bound_to=(pin.card_id,))
        except Undecipherable:
            yield f"card {pin.card_id}", "has a PIN that does not open"
    for subject in sorted(told):
        yield subject.partition(".")[2].replace(":", " "), "had its PIN set, and has none"
