"""Payment PINs: what guards them, and that they can be asked for."""

from collections.abc import Iterator
from typing import Final

from django.db.models import F, Q

from members.models import Pin, PinRecovery
from members.models.pins import CODE_TRIES, LOCKS, TRIES
from members.services.pin_recovery import LIVES
from members.services.pins import LOCKED
from paymentsite.core import clock
from paymentsite.core.vault import Undecipherable
from paymentsite.core.verification import Fault, Run, check

_LOCKED: Final = Q(tries=TRIES, locked_until__isnull=False, locks__gte=1)
_UNLOCKED: Final = Q(tries__lt=TRIES, locked_until=None)


@check("members.pin_counters_hold", "A PIN was guessed at no more than it may be, and is locked when it was.")
def pin_counters_hold(run: Run) -> Iterator[Fault]:
    run.seen["pins"] = Pin.objects.count()
    latest = clock.now() + LOCKED * 2 ** (LOCKS - 1)
    wrong = ~(_LOCKED | _UNLOCKED) | Q(locks__gt=LOCKS) | Q(tries__lt=0) | Q(locked_until__gt=latest)
    for pin in Pin.objects.filter(wrong).order_by("pk"):
        yield f"pin {pin.pk}", f"{pin.tries} tries, {pin.locks} locks, locked until {pin.locked_until}"
    for code in PinRecovery.objects.filter(tries__gt=CODE_TRIES).order_by("pk"):
        yield f"recovery {code.pk}", f"{code.tries} tries at a code that allows {CODE_TRIES}"
    for code in PinRecovery.objects.exclude(expires_at=F("sent_at") + LIVES).order_by("pk"):
        yield f"recovery {code.pk}", f"its code lives {code.expires_at - code.sent_at}"


@check("members.pin_decipherable", "The vault opens each PIN that is set, for its own member.", whole=True)
def pin_decipherable(run: Run) -> Iterator[Fault]:
    del run
    for pin in Pin.objects.filter(hashed__isnull=False).order_by("pk").iterator():
        try:
            pin.hashed.decrypt()
        except Undecipherable:
            yield f"pin {pin.pk}", "the vault cannot open it"
