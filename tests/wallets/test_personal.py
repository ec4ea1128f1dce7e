"""What a member has saved is told to them, and gone when they are erased."""

import json

import pytest

from members.services import privacy
from paymentsite.core.actors import Actor
from paymentsite.core.vault import Secret
from tests.members.factories import member
from tests.wallets.saved import bank_account, card
from wallets import personal
from wallets.models import Instrument, OutsideCard

pytestmark = pytest.mark.django_db


def test_member_is_told_everything_that_they_saved():
    ada = member()
    card(of=ada, label="Everyday")
    bank_account(of=ada)
    card(holder=Secret("Somebody Else"))

    told = privacy.export(member=ada, by=Actor.of(ada.user))

    first, second = told["saved cards and accounts"]
    assert (first["number"], first["holder"], first["label"]) == ("4111111111111111", "Ada Lovelace", "Everyday")
    assert (second["number"], second["country"]) == ("DE89370400440532013000", "DE")
    assert "Somebody Else" not in json.dumps(told)


def test_nothing_saved_is_left_of_who_is_erased():
    ada = member()
    card(of=ada, label="Everyday")
    bank_account(of=ada)
    other = card()

    personal.unsaved(ada)
    personal.unsaved(ada)

    assert not Instrument.objects.filter(member=ada).active().exists()
    assert not Instrument.objects.filter(member=ada).exclude(label="").exists()
    assert OutsideCard.objects.filter(number__isnull=False).get().pk == other.pk
