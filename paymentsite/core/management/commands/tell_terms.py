"""Tells the audit trail of terms that were set before it was told of any."""

from typing import Any

from django.core.management.base import BaseCommand

from paymentsite.core.services import trail


class Command(BaseCommand):
    help = "Tell the audit trail of each limit, fee, tier, rule, rate and the like of which it knows nothing, as it is."

    def handle(self, *_args: Any, **_options: Any) -> None:
        told = trail.tell_untold()
        self.stdout.write(f"{told} rows told of." if told else "Nothing to do: the audit trail knows of every row.")
