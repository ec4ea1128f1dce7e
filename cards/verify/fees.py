"""What cards cost each month: taken once for each month, as it was to be."""

from collections.abc import Iterator

from django.db.models import F

from cards.models import Card, CardFee
from cards.services import monthly_fees
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Journal, Posting
from paymentsite.ledger.services.accounts import HOUSE
from wallets.services import fees


@check(
    "cards.monthly_fees_are_posted",
    "Each month's fee of a card that was paid left its wallet once, and no other did.",
)
def monthly_fees_are_posted(run: Run) -> Iterator[Fault]:
    paid = CardFee.objects.filter(state=CardFee.State.PAID)
    run.seen["monthly fees of cards"] = CardFee.objects.count()
    posted = Posting.objects.filter(
        journal=F("journal"), target__owner=HOUSE, target__code=fees.HOUSE, journal__scope=monthly_fees.SCOPE
    )
    moved: dict[object, list[tuple[object, ...]]] = {}
    for journal, *what in posted.values_list("journal", "source", "amount_minor", "unit").iterator():
        moved.setdefault(journal, []).append(tuple(what))
    for fee in paid.select_related("card__wallet").order_by("pk").iterator():
        if moved.get(fee.journal_id) != [(fee.card.wallet.account_id, fee.amount_minor, fee.currency)]:
            yield f"fee {fee.pk}", "it is paid, and its journal moved something else"
    lonely = Journal.objects.posted().filter(scope=monthly_fees.SCOPE)
    for pk in lonely.exclude(pk__in=paid.values("journal")).order_by("pk").values_list("pk", flat=True):
        yield f"journal {pk}", "it takes a monthly fee, and no card owes it"


@check("cards.monthly_fees_are_due", "No month's fee of a card is due twice, and none that is was passed over.")
def monthly_fees_are_due(_: Run) -> Iterator[Fault]:
    for fee in CardFee.objects.exclude(amount_minor=F("card__product__monthly_fee_minor")).order_by("pk"):
        yield f"fee {fee.pk}", f"it is {fee.amount_minor}, and not what the product costs a month"
    free = Card.objects.filter(product__monthly_fee_minor=0).exclude(next_fee_on=None)
    dear = Card.objects.exclude(product__monthly_fee_minor=0).filter(next_fee_on=None)
    for pk in (free | dear).order_by("pk").values_list("pk", flat=True):
        yield f"card {pk}", "when its next fee is due is not what its product says"
    for card in Card.objects.exclude(next_fee_on=None).select_related("product").order_by("pk").iterator():
        owed = list(card.fees.order_by("due_on").values_list("due_on", flat=True))
        if [*owed, card.next_fee_on] != monthly_fees.days(card, len(owed) + 1):
            yield f"card {card.pk}", "a month between its fees was passed over, or is due twice"
