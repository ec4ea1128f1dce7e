"""What time does to the books: holds that expire, lots that lapse. Each row says itself when it is due."""

from datetime import date, datetime
from typing import Final

import structlog
from django.db.models import Exists, OuterRef

from paymentsite.core.errors import DomainError
from paymentsite.core.ids import microseconds
from paymentsite.core.waiting import First
from paymentsite.ledger.entries import Expire, Lapse
from paymentsite.ledger.models import Account, Hold, Lot
from paymentsite.ledger.services.accounts import house
from paymentsite.ledger.services.journals import post

log = structlog.get_logger(__name__)

_CHUNK: Final = 1_000


def expire_holds(*, now: datetime) -> int:
    """Give back every hold whose time is over; how many. Twice, late or at once does it once.

    The reference names the moment, so that a hold that was extended in between can still expire later. One that cannot
    be given back keeps no other waiting, and stays due.
    """
    due = Hold.objects.due(now).select_related("account").order_by("expires_at", "pk")
    done, rest = 0, due
    while some := list(rest[:_CHUNK]):
        done += sum(_expire(hold) for hold in some)
        last = some[-1]
        rest = due.filter(expires_at__gte=last.expires_at).exclude(expires_at=last.expires_at, pk__lte=last.pk)
    return done


def _expire(hold: Hold) -> bool:
    """Whether it was given back now.

    It must be, sooner or later: nobody was told no, and were a refusal kept (the clock was set back a little since the
    hold was found due, say), the same moment could never be asked about again.
    """
    until = microseconds(hold.expires_at) if hold.expires_at else 0
    try:
        answer = post(
            Expire(hold), kind="hold_expiry", scope="ledger.expiry", reference=f"{hold.pk}:{until}", must=True
        )
    except DomainError as refusal:
        log.warning("hold not expired", hold=str(hold.pk), why=refusal.code)
        return False
    except Exception:  # the edge: one hold's failure keeps no other from its end
        log.exception("hold could not be expired", hold=str(hold.pk))
        return False
    return not answer.replayed


# The next moment at which an open hold expires.
next_expiry: Final = First("expires_at", Hold.objects.open)


def lapse_lots(*, today: date) -> int:
    """Book what is left of lots that died before ``today`` as breakage, account by account; how many accounts.

    An account of which that cannot be booked keeps no other waiting, and stays due.
    """
    dead = Lot.objects.dead(today).filter(account=OuterRef("pk"))
    done = 0
    for account in Account.objects.filter(Exists(dead), lots=True).order_by("pk").iterator(chunk_size=_CHUNK):
        done += _lapse(account, today)
    return done


def _lapse(account: Account, today: date) -> bool:
    """Whether it was booked now. It must be, sooner or later: a refusal is not kept for the rest of the day."""
    try:
        answer = post(
            Lapse(account, house("breakage", account.unit), today),
            kind="breakage",
            scope="ledger.breakage",
            reference=f"{account.public_id}:{today}",
            must=True,
        )
    except DomainError as refusal:
        log.warning("lots not lapsed", account=str(account.public_id), why=refusal.code)
        return False
    except Exception:  # the edge: one account's failure keeps no other from its turn
        log.exception("lots could not be lapsed", account=str(account.public_id))
        return False
    return not answer.replayed
