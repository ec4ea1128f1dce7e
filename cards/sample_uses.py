"""Uses of cards to look at: paid, refunded, open, more than was first asked for, abroad, and declined with reasons."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from cards.models import Card, CardMessage
from cards.services import controls, simulating
from cards.services.life import Channel
from cards.services.simulating import PRESETS, PROCESSOR, Saying, What
from members.models import Member
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money

CONTROLS: Final[dict[str, Any]] = {
    "caps": [
        {"measure": "amount", "span": "day", "most": 1_500_00},
        {"measure": "count", "span": "last_week", "most": 40},
    ],
    "categories": {"never": ["gambling"]},
}
_LAST: Final = "demo last"


def fill(member: Member) -> Iterator[str]:
    """The everyday card has controls and was used in every way; run again, nothing is added."""
    if CardMessage.objects.filter(processor=PROCESSOR, message_id=_LAST).exists():
        return
    everyday = Card.objects.filter(member=member, reference="demo everyday").first()
    frozen = Card.objects.filter(member=member, reference="demo once").first()
    if everyday is None or frozen is None:
        return
    controls.set_for(subject=everyday, terms=CONTROLS, by=Actor.of(member.user), channel=Channel.WEB)
    _used(everyday)
    _say(What.AUTHORISE, frozen, "frozen", "12.00", "subscription")
    _say(What.AUTHORISE, everyday, "bet", "20.00", "shop", category="7995", name="Lucky Horse", message_id=_LAST)
    yield "  uses      of the sample member's cards: paid, refunded, open, abroad and declined"


def _used(card: Card) -> None:
    _say(What.AUTHORISE, card, "shop", "68.50", "shop")
    _say(What.CAPTURE, card, "shop", "68.50", final=True)
    _say(What.AUTHORISE, card, "noodles", "40.00", "diner")
    _say(What.CAPTURE, card, "noodles", "44.00", final=True)
    _say(What.AUTHORISE, card, "returned", "129.00", "shop")
    _say(What.CAPTURE, card, "returned", "129.00", final=True)
    _say(What.REFUND, card, "returned", "29.00")
    _say(What.AUTHORISE, card, "stay", "200.00", "hotel")
    _say(What.INCREMENT, card, "stay", "60.00", "hotel")
    _say(What.AUTHORISE, card, "fuel", "1.00", "pump")
    _say(What.AUTHORISE, card, "book", "12.00", "abroad")
    _say(What.CAPTURE, card, "book", "12.00", "abroad", final=True)
    _say(What.AUTHORISE, card, "cancelled", "15.00", "diner")
    _say(What.REVERSE, card, "cancelled")
    _say(What.AUTHORISE, card, "too much", "1400.00", "shop")


def _say(
    what: What,
    card: Card,
    reference: str,
    amount: str | None = None,
    at: str = "",
    **more: Any,
) -> None:
    preset = PRESETS[at or "shop"]
    merchant = None
    if at:
        merchant = replace(preset.merchant, **{name: more.pop(name) for name in ("category", "name") if name in more})
    saying = Saying(
        card=card,
        amount=Money.parse(amount, preset.currency) if amount else None,
        merchant=merchant,
        entry=preset.entry if at else None,
        reference=f"demo {reference}",
        message_id=more.pop("message_id", "") or f"demo {reference} {what}",
        **more,
    )
    simulating.say(what=what, saying=saying, by=SYSTEM)
