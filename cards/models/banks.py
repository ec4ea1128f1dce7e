"""Banks that credit us, and the account numbers that they let us give out."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core import terms
from paymentsite.core.immutability import immutable

NUMBER_MAX = 34
# What a number has beside the beginning and what is drawn: an IBAN its country and two check digits.
_FIXED = {"iban": 4, "luhn": 1, "mod97": 2}
# As long as numbers of cards are.
CARD_LENGTHS = range(12, 20)


@terms.decided()
@immutable
class Bank(models.Model):
    """A bank at which we have accounts, and under whose numbers others pay in."""

    public_id = models.UUIDField(unique=True, editable=False)
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("bank")
        verbose_name_plural = _("banks")
        permissions = [
            ("propose_banks", _("Can propose banks and ranges of account numbers")),
            ("approve_banks", _("Can approve banks and ranges that others propose")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owner(self) -> str:
        """Who it is in the books."""
        return f"bank:{self.code}"


@terms.decided(except_columns=["issued"])
@immutable(except_columns=["issued", "state"])
class AccountRange(models.Model):
    """Account numbers that begin with ``prefix``: a bank's for us to give out, each once."""

    class Scheme(models.TextChoices):
        IBAN = "iban", "IBAN"
        LUHN = "luhn", _("a check digit by Luhn")
        MOD97 = "mod97", _("two check digits by 97")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed: nobody gets a new number")

    bank = models.ForeignKey(Bank, models.PROTECT, related_name="ranges", verbose_name=_("bank"))
    scheme = models.CharField(_("kind of its numbers"), max_length=5, choices=Scheme)
    country = models.CharField(_("country"), max_length=2, blank=True)
    prefix = models.CharField(_("beginning of its numbers"), max_length=24)
    length = models.PositiveSmallIntegerField(_("characters of a number"))
    currency = models.CharField(_("currency"), max_length=3)
    held_max = models.PositiveSmallIntegerField(_("how many a member may have at once"), default=20)
    issued = models.BigIntegerField(_("numbers given"), default=0)
    state = models.CharField(_("state"), max_length=6, choices=State, default=State.OPEN)

    class Meta:
        verbose_name = _("range of account numbers")
        verbose_name_plural = _("ranges of account numbers")
        constraints = [
            models.UniqueConstraint(name="cards_accountrange_once", fields=["country", "prefix", "length"]),
            models.CheckConstraint(
                name="cards_accountrange_begins",
                condition=Q(scheme="iban", country__regex=r"^[A-Z]{2}$", prefix__regex=r"^[0-9A-Z]{3,24}$")
                | Q(scheme__in=["luhn", "mod97"], country="", prefix__regex=r"^[1-9][0-9]{2,23}$"),
            ),
            models.CheckConstraint(name="cards_accountrange_length", condition=Q(length__range=(8, NUMBER_MAX))),
            models.CheckConstraint(name="cards_accountrange_held", condition=Q(held_max__gte=1)),
            models.CheckConstraint(name="cards_accountrange_issued", condition=Q(issued__gte=0)),
        ]

    def __str__(self) -> str:
        begin = f"{self.country}··{self.prefix}" if self.country else self.prefix
        return f"{begin}{'·' * (self.length - len(begin))}"

    @property
    def free(self) -> int:
        """How many digits are drawn."""
        return int(self.length - len(self.prefix) - _FIXED[self.scheme])

    @property
    def like_cards(self) -> bool:
        """Whether its numbers could be taken for those of cards, if a check digit by Luhn happens to be right."""
        return not self.country and self.length in CARD_LENGTHS

    @property
    def capacity(self) -> int:
        """How many numbers there are; nearly, where those are left out that could be numbers of cards."""
        return int(10**self.free) * (9 if self.like_cards else 10) // 10
