"""Money moved by hand: proposed by one person, done when another one approves."""

from datetime import date
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from paymentsite.core.actors import Actor
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Conflict, Refused, as_day
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from paymentsite.ledger import queries
from paymentsite.ledger.entries import Move, Terms
from paymentsite.ledger.models import Account
from paymentsite.ledger.models.lots import NEVER
from paymentsite.ledger.services.journals import post

SCOPE: Final = "ledger.manual"
RIGHT: Final = "ledger.approve_manual"


_kept: Final[set[str]] = set()


class AccountKept(Refused):
    code = "account_kept"
    sentence = gettext_noop(
        "What stands on the account “{account}” is told elsewhere, too, so it is moved by what keeps it, never by hand."
    )


class MoveMade(Conflict):
    code = "manual_move_made"
    sentence = gettext_noop(
        "An amount was moved by hand under {reference} before. Take another reference for a new move."
    )


def keep(*codes: str) -> None:
    """Accounts of these codes are moved by their own services alone."""
    _kept.update(codes)


@approvals.required(
    "ledger.post_manual",
    right=RIGHT,
    concerns=("source.owner", "target.owner"),
    title=_("Move an amount by hand"),
    lines={
        "amount": Line(_("amount")),
        "source": Line(_("from the account")),
        "target": Line(_("to the account")),
        "reference": Line(_("reference")),
        "expires": Line(_("expires"), as_day),
        "after": Line(_("balances after")),
        "account": Line(_("account")),
        "balance": Line(_("balance")),
    },
)
def post_manual(
    *,
    amount: Money,
    source: Account,
    target: Account,
    reference: str,
    by: Actor,
    reason: str,
    expires_on: date | None = None,
) -> Effect:
    """Move ``amount`` by hand, once per ``reference``. ``expires_on`` is for a target whose value expires.

    Proposed or approved after it was done it is refused: a repetition would look like a move, and move nothing.
    """
    for account in (source, target):
        if account.code in _kept:
            raise AccountKept(account=str(account))
    terms = Terms("manual", expires_on=expires_on or NEVER) if target.lots else None
    posted = post(
        Move(amount, source, target, terms),
        kind="manual",
        scope=SCOPE,
        reference=reference,
        by=by,
        details={"reason": reason},
    )
    if posted.replayed:
        raise MoveMade(reference=reference)
    # A hot account changes all the time: shown, it would make every effect a new one to look at.
    after = queries.standings([account for account in (source, target) if account.strict])
    left = [(account, after[account.pk].posted) for account in (source, target) if account.pk in after]
    return {
        "amount": amount,
        "source": source,
        "target": target,
        "reference": reference,
        "expires": expires_on,
        "after": [{"account": account, "balance": balance} for account, balance in left],
    }
