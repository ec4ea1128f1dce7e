"""A model as a business app would declare it, for the vault's tests alone."""

from uuid import uuid4

from django.db import models

from paymentsite.core.vault import Purpose
from paymentsite.core.vault.fields import DigestField, EncryptedField


class Card(models.Model):
    public_id = models.UUIDField(default=uuid4, unique=True)
    number = EncryptedField("card.number", bound_to=("public_id",), null=True)
    number_digest = DigestField("card.number", of="number", null=True, unique=True)
    pin = EncryptedField("card.pin", bound_to=("public_id",), purpose=Purpose.PEPPER, null=True)
    note = models.CharField(max_length=50, blank=True)

    class Meta:
        app_label = "vault_tests"

    def __str__(self) -> str:
        return self.note
