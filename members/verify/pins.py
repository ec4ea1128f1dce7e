"""Payment PINs: what guards them, and that they can be asked for."""

from collections.abc import Iterator
from typing import Final

from django.db import connection
from django.db.models import F, Q

from members.models import Pin, PinRecovery
from members.models.pins import CODE_TRIES, LOCKS, TRIES
from members.services.pin_recovery import LIVES
from members.services.pins import LOCKED
from paymentsite.core import clock
from paymentsite.core.vault import Undecipherable
from paymentsite.core.verification import Fault, Run, check

# By the audit trail a PIN was set or recovered last, or it was cleared, or there never was one.
_APART: Final = """
SELECT m.user_id, p.member_id, t.act FROM members_member m
LEFT JOIN members_pin p ON p.member_id = m.user_id AND p.hashed IS NOT NULL
LEFT JOIN (
    SELECT subject, MAX(id) AS last_id FROM core_auditentry
    WHERE act IN ('member.pin_set', 'member.pin_recovered', 'member.pin_cleared') GROUP BY subject
) l ON l.subject = 'members.member:' || CAST(m.user_id AS varchar(20))
LEFT JOIN core_auditentry t ON t.id = l.last_id
WHERE m.erased_at IS NULL
    AND (p.member_id IS NULL) <> (t.id IS NULL OR t.act = 'member.pin_cleared') ORDER BY m.user_id
"""
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


@check("members.pin_is_told", "Who has a PIN set it, by the audit trail, and who set one has it until it is cleared.")
def pin_is_told(run: Run) -> Iterator[Fault]:
    del run
    with connection.cursor() as cursor:
        cursor.execute(_APART)
        rows = cursor.fetchall()
    for pk, pin, told in rows:
        yield f"member {pk}", f"has {'a' if pin else 'no'} PIN; the audit trail last tells of {told or 'none'}"


@check("members.pin_decipherable", "The vault opens each PIN that is set, for its own member.", whole=True)
def pin_decipherable(run: Run) -> Iterator[Fault]:
    del run
    for pin in Pin.objects.filter(hashed__isnull=False).order_by("pk").iterator():
        try:
            pin.hashed.decrypt()
        except Undecipherable:
            yield f"pin {pin.pk}", "the vault cannot open it"
