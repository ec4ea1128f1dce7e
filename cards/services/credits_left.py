"""What keeps a membership from ending: something of the member's that nobody has decided about yet."""

from django.utils.translation import gettext_noop

from cards.models import BankCredit
from cards.services import refunds_aside
from members.models import Member
from paymentsite.core.actors import Actor
from paymentsite.core.errors import Refused
from wallets.services import leaving


class CreditsLeft(Refused):
    code = "leaving_credits_left"
    sentence = gettext_noop(
        "Of what banks credited to your account numbers {amount} is set aside. Wait until we decided."
    )


class RefundsLeft(Refused):
    code = "leaving_refunds_left"
    sentence = gettext_noop("Of what merchants gave back to your cards {amount} is set aside. Wait until we decided.")


@leaving.ends("credits by banks")
def check_none_aside(*, member: Member, by: Actor, reason: str) -> None:
    """Raise while something that came for the member is set aside."""
    del by, reason
    check(member)


def check(member: Member) -> None:
    """Raise while something that came for the member is set aside."""
    if refunds := refunds_aside.of_member(member):
        raise RefundsLeft(amount=refunds)
    if left := list(BankCredit.objects.aside().filter(member=member).order_by("pk")):
        raise CreditsLeft(amount=[each.set_aside for each in left])
