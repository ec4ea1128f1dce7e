"""Tables of the ORM-style reference: what a careful Django project without a ledger of its own would have."""

from typing import ClassVar

from django.db import models


class Account(models.Model):
    balance_minor = models.BigIntegerField()

    objects: ClassVar["models.Manager[Account]"] = models.Manager()

    def __str__(self) -> str:
        return f"peer account {self.pk}"


class Journal(models.Model):
    reference = models.CharField(max_length=255, unique=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar["models.Manager[Journal]"] = models.Manager()

    def __str__(self) -> str:
        return self.reference


class Entry(models.Model):
    journal = models.ForeignKey(Journal, models.PROTECT)
    account = models.ForeignKey(Account, models.PROTECT)
    amount_minor = models.BigIntegerField()
    balance_minor = models.BigIntegerField()

    objects: ClassVar["models.Manager[Entry]"] = models.Manager()

    def __str__(self) -> str:
        return f"peer entry {self.pk}"
