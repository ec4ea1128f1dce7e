"""A friend, and money that went between them: sent, asked for, given by a link."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from members.models import Member, User
from members.services import members
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from wallets.models import Gift, MoneyRequest, Transfer
from wallets.services import gift_links, requests, transfers, wallets

_FRIEND: Final = "friend@example.com"
_HELD: Final = Money(500_00, "CNY")


def fill(member: Member) -> Iterator[str]:
    """The member sent a friend something, is asked for something, and gave a gift; run again, nothing is added."""
    friend = _friend()
    purse = wallets.open(member=member, currency="CNY", by=SYSTEM)
    ledger.post(
        ledger.Move(_HELD, ledger.house("cash", "CNY"), purse.account),
        reference=f"transfers of {member.pk}",
        scope="sample.wallets",
        kind="top_up",
    )
    with suppress(DomainError):  # an operator has made this impossible; then there is no sample of it
        _move(member, friend)
    counts = [model.objects.count() for model in (Transfer, MoneyRequest, Gift)]
    yield "  between   transfers: {}, requests to pay: {}, gifts: {}".format(*counts)


def _friend() -> Member:
    user = User.objects.filter(email=_FRIEND).first() or User.objects.create_user(_FRIEND)
    return members.join(user=user, display_name="Friend Sample")


def _move(member: Member, friend: Member) -> None:
    by, small = Actor.of(member.user), Money(20_00, "CNY")
    requests.ask(
        asker=friend, payer=member, amount=small, reference="sample", by=Actor.of(friend.user), note="Dumplings"
    )
    transfers.send(sender=member, payee=friend, amount=small, reference="sample", by=by, note="Lunch")
    gift_links.make(sender=member, amount=small, reference="sample", by=by, note="Happy birthday")
