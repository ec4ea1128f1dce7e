"""Questions about cards: members, wallets and cards to ask about, and how long each answer takes."""

import time
from itertools import cycle
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.db import connection

from bench.work.references import references
from cards.control_rules import Entry
from cards.messages import Ask, Merchant
from cards.models import Card, CardProduct, NumberRange
from cards.services import authorising, issuing, life, products
from cards.services.life import Channel
from members.models import User
from members.services import limit_rules, members
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from wallets.services import wallets

UNIT: Final = "CNY"
# How many numbers each range has: the first digits of what is left for the second are fixed.
RANGES: Final = {"few": ("40000099999", 16), "many": ("40000088", 16)}
_SHOP: Final = Merchant(id="bench", name="Bench", category="5411", country="CN")
_BATCH: Final = 1_000


def issue(*, count: int) -> None:
    """``count`` members with a card of each range, and plenty to spend."""
    limit_rules.set_defaults(currencies=(UNIT,))
    made = {name: _product(name) for name in RANGES}
    password = make_password(None)
    for number in range(count):
        user = User.objects.create(email=f"bench{number}@example.com", password=password)
        member = members.join(user=user)
        type(member).objects.filter(pk=member.pk).update(kyc_level=3)
        by = Actor.of(user)
        wallet = wallets.open(member=member, currency=UNIT, by=by)
        plenty = Money(10**8, UNIT)
        ledger.post(ledger.Move(plenty, ledger.house("cash", UNIT), wallet.account), reference=f"bench {number}")
        for name, product in made.items():
            card = issuing.issue(member=member, product=product, reference=name, by=by, channel=Channel.WEB)
            life.activate(card=card, by=by, channel=Channel.WEB)


def _product(name: str) -> CardProduct:
    prefix, length = RANGES[name]
    terms = {"code": f"bench-{name}", "name_en": name, "kind": "debit", "currency": UNIT, "validity": 3}
    how: dict[str, Any] = {"by": SYSTEM, "reason": "bench"}
    numbers: NumberRange = products.put_range(prefix=prefix, length=length, **how)
    return products.put(
        {**terms, "validity_unit": "years", "numbers": numbers},  # type: ignore[typeddict-item]
        **how,
    )


def crowd(*, count: int) -> None:
    """So many rows more in the table of cards, which nobody asks about: copies of one, with keys of their own."""
    columns = [str(field.column) for field in Card._meta.concrete_fields if field.column != "id"]
    own = {
        "public_id": "gen_random_uuid()",
        "number_digest": "'crowd-' || n::text",
        "reference": "'crowd ' || n::text",
    }
    chosen = ", ".join(own.get(column, f"c.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO cards_card ({', '.join(columns)}) SELECT {chosen} FROM generate_series(1, %s) AS n,"  # noqa: S608  our own columns
            " (SELECT * FROM cards_card ORDER BY id LIMIT 1) AS c",
            [count],
        )
        cursor.execute("VACUUM ANALYZE")


def ask(*, name: str, times: int) -> list[float]:
    """How many milliseconds each of ``times`` questions took, over all cards of a range by turns."""
    numbers = [
        card.number.decrypt()
        for card in Card.objects.filter(product__code=f"bench-{name}").exclude(reference__startswith="crowd")
    ]
    spent: list[float] = []
    for number, reference in zip(cycle(numbers), references(), strict=False):
        if len(spent) == times:
            break
        question = _question(number, reference)
        began = time.perf_counter()
        answer = authorising.authorise(ask=question, by=SYSTEM)
        spent.append((time.perf_counter() - began) * 1e3)
        if not answer.approved:
            raise AssertionError(f"what is declined measures something else: {answer.code}")
    return spent


def _question(number: Secret, reference: str) -> Ask:
    return Ask(
        processor="bench",
        message_id=reference,
        reference=reference,
        merchant=_SHOP,
        entry=Entry.CHIP,
        told_at=clock.now(),
        amount=Money(1, UNIT),
        number=number,
    )
