"""Before a transfer: who would get it, as far as may be shown, and what it would cost."""

import pytest

from members.models import Member
from members.queries import payees
from members.services import tiers
from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import Money
from tests.members.factories import member
from tests.wallets.factories import sent, wallet
from wallets.services import transfers
from wallets.services.transfers import PayeeCannotReceive, ToOneself

pytestmark = pytest.mark.django_db


class TestPreview:
    def test_payee_is_shown_masked_with_what_it_costs(self):
        purse = wallet(500)
        ada = member(handle="ada", display_name="Ada Lovelace")

        seen = transfers.preview(sender=purse.member, to="@ada", amount=Money(100, "CNY"))

        assert (seen.amount, seen.payee, seen.needs_pin) == (Money(100, "CNY"), ada, False)
        assert seen.total == seen.amount + seen.fee
        assert "Lovelace" not in repr(seen)

    def test_nobody_is_shown_in_the_same_form(self):
        purse = wallet(500)

        seen = transfers.preview(sender=purse.member, to="@nobody_here", amount=Money(100, "CNY"))

        assert seen.payee is None
        assert seen.name in {payees.masked_name(each) for each in Member.objects.all()}
        with pytest.raises(PayeeCannotReceive):
            transfers.send(sender=purse.member, payee=seen.payee, amount=seen.amount, reference="r", by=SYSTEM)

    def test_nobodys_name_is_always_the_same_and_tells_nothing_of_what_was_typed(self):
        purse = wallet(500)

        def names(texts):
            return [transfers.preview(sender=purse.member, to=to, amount=Money(1, "CNY")).name for to in texts]

        assert len(set(names(["@Nobody_here", "nobody_here ", "@nobody_here"]))) == 1

    def test_oneself_is_refused(self):
        purse = wallet(500, handle="bob")

        with pytest.raises(ToOneself):
            transfers.preview(sender=purse.member, to="@bob", amount=Money(100, "CNY"))

    def test_preview_changes_nothing(self, rows):
        purse, _ada = wallet(500), member(handle="ada")
        sent(1, sender=purse, to=member())
        tiers.base()  # made when it is first asked for
        before = rows()

        transfers.preview(sender=purse.member, to="@ada", amount=Money(100, "CNY"))

        assert rows() == before
