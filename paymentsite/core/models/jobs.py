from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class JobRun(models.Model):
    """One due moment of one job: claimed by whoever inserts it, done once.

    ``slot`` is the moment in the time of the business; ``started_at`` and ``finished_at`` are the
    database's own time, so that leases are measured by one clock, whatever the machines or the sandbox's
    clock say. ``again`` counts the runs in a row, up to this one, that took up what the one before left due.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    name = models.CharField(max_length=100)
    slot = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    attempt = models.PositiveIntegerField(default=1)
    again = models.PositiveSmallIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "slot"], name="core_job_run_slot_once"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(state="running"), name="core_job_run_not_beside_itself"
            ),
            models.CheckConstraint(name="core_job_run_state", condition=Q(state__in=["running", "done", "failed"])),
            models.CheckConstraint(
                name="core_job_run_finished",
                condition=Q(state="running", finished_at__isnull=True)
                | Q(state__in=["done", "failed"], finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.slot:%Y-%m-%d %H:%M:%S}: {self.state}"
