"""Time's way in: the scheduler's tick."""

from celery import shared_task

from paymentsite.core import clock, jobs


@shared_task
def tick() -> None:
    """Do whatever is due now. Safe twice, late or not at all: what is due is a row, not a message."""
    jobs.tick(now=clock.now())
