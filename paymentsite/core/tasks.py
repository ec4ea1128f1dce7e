"""Time's way in: the scheduler's tick."""

from datetime import datetime, timedelta

from celery import shared_task

from paymentsite.core import clock, jobs, queries
from paymentsite.core.models import AuditWaiting
from paymentsite.core.services import approvals, audit


@shared_task
def tick() -> None:
    """Do whatever is due now. Safe twice, late or not at all: what is due is a row, not a message."""
    jobs.tick(now=clock.now())


@jobs.job("core.seal_audit", every=timedelta(seconds=10), stops=False, where=AuditWaiting.objects.all)
def seal_audit(*, now: datetime) -> str:  # noqa: ARG001  whatever waits by now
    return f"{audit.seal_all()} seals"


@jobs.job("core.expire_approvals", due=queries.next_approval_end)
def expire_approvals(*, now: datetime) -> str:
    return f"{approvals.expire_due(now=now)} expired"
