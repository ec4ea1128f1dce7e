"""What members are told about uses of their cards: never more than is safe, always what they can do."""

from typing import Any, Final

from django.utils.translation import gettext, gettext_noop

from cards.models.messages import Code
from members.services import notices

_WHY: Final = {
    Code.CARD_INACTIVE: gettext_noop("The card is not active yet. Activate it first."),
    Code.CARD_FROZEN: gettext_noop("The card is frozen. Unfreeze it to use it again."),
    Code.CARD_BLOCKED: gettext_noop("We blocked the card. Ask us why."),
    Code.CARD_CLOSED: gettext_noop("The card is closed. Use another one."),
    Code.CARD_EXPIRED: gettext_noop("The card has expired. Use another one."),
    Code.MEMBER_SUSPENDED: gettext_noop("Your membership is suspended. Ask us why."),
    Code.WALLET_UNUSABLE: gettext_noop("Nothing can leave the wallet at the moment. Ask us why."),
    Code.WRONG_EXPIRY: gettext_noop("The expiry date that was given is another one. Look at it and try again."),
    Code.CODE_MISSING: gettext_noop("The security code was missing. Enter it and try again."),
    Code.WRONG_CODE: gettext_noop("The security code that was given is another one. Look at it and try again."),
    Code.PIN_MISSING: gettext_noop("The PIN was missing. Enter it and try again."),
    Code.PIN_UNSET: gettext_noop("The card has no PIN yet. Set one and try again."),
    Code.WRONG_PIN: gettext_noop("The PIN that was given is another one. Try again."),
    Code.PIN_LOCKED: gettext_noop("The card's PIN was guessed at too often. Set a new one."),
    Code.USED_UP: gettext_noop("The card was used as often as it may be. Take another one."),
    Code.OTHER_MERCHANT: gettext_noop("The card is for one merchant, and this is another one."),
    Code.OTHER_CATEGORY: gettext_noop("The card is for one kind of merchants, and this is none of them."),
    Code.OTHER_AMOUNT: gettext_noop("The subscription on this card costs less. Ask the merchant."),
    Code.ALREADY_PAID: gettext_noop("The subscription on this card is paid already. Ask the merchant."),
    Code.CONTROL: gettext_noop("The card may not be used so. Look at what it may be used for."),
    Code.CARD_LIMIT: gettext_noop("It is more than the card may spend. Look at its limits."),
    Code.MEMBER_LIMIT: gettext_noop("It is more than your limits allow. Look at what is left of them."),
    Code.NO_RATE: gettext_noop("There is no exchange rate at the moment. Try again later."),
    Code.INSUFFICIENT_FUNDS: gettext_noop("There is too little money for it. Add some and try again."),
    Code.CANCELLED_BEFORE: gettext_noop("The merchant had cancelled it. Pay again if you still want it."),
}


def why(code: Any) -> str:
    """What a member should know about a decision, in the active language."""
    known = {str(each): sentence for each, sentence in _WHY.items()}
    return gettext(known[str(code)]) if str(code) in known else ""


SPENT = notices.kind("card_spent", gettext_noop("{amount} at {merchant}, with the card ending in {last_four}."))
DECLINED = notices.kind(
    "card_declined",
    gettext_noop("A payment at {merchant} with the card ending in {last_four} was declined. {why}"),
    why=why,
)
DECLINED_ELSEWHERE = notices.kind(
    "card_declined_elsewhere",
    gettext_noop(
        "A payment at {merchant} with the card ending in {last_four} was declined before we were asked."
        " Try again a little later."
    ),
)
REFUNDED = notices.kind("card_refunded", gettext_noop("{merchant} gave back {amount}."))
MADE_GOOD = notices.kind(
    "card_loss_made_good",
    gettext_noop("{merchant} gave back {amount}. You owed us that and we had written it off, so it stays with us."),
)
TAKEN_AGAIN = notices.kind("card_taken_again", gettext_noop("{merchant} took back {amount} that it had given back."))
OWED = notices.kind(
    "card_debt",
    gettext_noop("{merchant} took {amount} more than there was. You owe it to us, and what comes in pays it first."),
)
