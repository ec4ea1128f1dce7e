"""Card numbers against their ranges, digests and keys."""

from collections.abc import Iterator

from django.db.models import Count, F, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from stdnum import luhn

from cards.models import Card, CodeKey, NumberRange
from paymentsite.core import vault
from paymentsite.core.vault import Undecipherable, card_codes
from paymentsite.core.verification import Fault, Run, check


@check(
    "cards.numbers_decrypt",
    "Each card's number opens, is valid and of its range, and is found by its digest.",
    whole=True,
)
def numbers_decrypt(run: Run) -> Iterator[Fault]:
    run.seen["cards"] = Card.objects.count()
    for card in Card.objects.select_related("product__numbers").order_by("pk").iterator():
        try:
            number = card.number.decrypt()
        except Undecipherable:
            yield f"card {card.pk}", "its number does not decrypt"
            continue
        digits, range_ = number.reveal(), card.product.numbers
        if not luhn.is_valid(digits):
            yield f"card {card.pk}", "its number is none"
        if not digits.startswith(range_.prefix) or len(digits) != range_.length or card.prefix != range_.prefix:
            yield f"card {card.pk}", f"its number is not of {range_}"
        if digits[-4:] != card.last_four:
            yield f"card {card.pk}", "its number ends otherwise than is shown"
        if card.number_digest not in vault.digests(number, label="card.number"):
            yield f"card {card.pk}", "it is not found by its number"


@check("cards.code_keys_decrypt", "Each key of card codes decrypts and is one.")
def code_keys_decrypt(run: Run) -> Iterator[Fault]:
    run.seen["keys of card codes"] = CodeKey.objects.count()
    for key in CodeKey.objects.order_by("pk"):
        try:
            material = bytes.fromhex(key.material.decrypt().reveal())
        except (Undecipherable, ValueError):
            yield f"key of card codes {key.pk}", "it does not decrypt"
            continue
        if len(material) != card_codes.KEY_BYTES:
            yield f"key of card codes {key.pk}", f"it has {len(material)} bytes"


@check(
    "cards.numbers_counted",
    "A range has given as many numbers as cards have of it, and no more than it has.",
)
def numbers_counted(run: Run) -> Iterator[Fault]:
    run.seen["ranges of card numbers"] = NumberRange.objects.count()
    cards = Card.objects.filter(prefix=OuterRef("prefix")).order_by().values("prefix").annotate(total=Count("pk"))
    counted = NumberRange.objects.annotate(
        cards=Coalesce(Subquery(cards.values("total"), output_field=IntegerField()), 0)
    )
    for each in counted.exclude(cards=F("issued")).order_by("pk"):
        yield f"range {each.pk}", f"says {each.issued} numbers are given, and {each.cards} cards have one"
    for range_ in NumberRange.objects.order_by("pk"):
        if range_.issued > range_.capacity:
            yield f"range {range_.pk}", f"says {range_.issued} of {range_.capacity} numbers are given"
