"""What an instrument is chosen for."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    PAY = "pay", _("paying")
    TOP_UP = "top_up", _("topping up")
    WITHDRAW = "withdraw", _("withdrawing")
