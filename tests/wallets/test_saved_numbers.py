"""A saved number is nowhere in clear: not in the database's bytes, the log, the trail, or a page of the back office."""

import logging

import pytest
from django.db import connection
from django.urls import reverse

from members.models import User
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret
from tests.members.factories import member
from tests.wallets.deposits import start
from tests.wallets.gateways import route
from tests.wallets.saved import bank_account, card
from wallets.models import AccountProof, Instrument
from wallets.services import account_proofs, instruments

pytestmark = [pytest.mark.attack, pytest.mark.django_db]

CARD = "4929 7230 5864 1173"
ACCOUNT = "6217858000083120948"
HOLDER = "Canary Featherstone"


@pytest.fixture
def canaries():
    """What must not be seen, as it was given and as it is kept."""
    return [CARD, CARD.replace(" ", ""), ACCOUNT, HOLDER, HOLDER.split()[1]]


@pytest.fixture
def saved(sandbox):
    """A card and an account of one member, used in every way that there is."""
    route("payout", currency="CNY")
    ada = member()
    plastic = card(of=ada, number=CARD, holder=Secret(HOLDER), label=f"mine {CARD}")
    account = bank_account(
        of=ada, number=ACCOUNT, holder=Secret(HOLDER), country="CN", bank_code="102100099996", currency="CNY"
    )
    card(of=ada, number=CARD, holder=Secret(f"{HOLDER} II"))
    account_proofs.match_name(instrument=account, legal_name=Secret(f"{HOLDER} Jun"), by=SYSTEM)
    start(account)
    instruments.set_default(instrument=plastic, by=SYSTEM)
    return plastic, account


def everything_stored() -> bytes:
    """All that all tables hold; on SQLite the whole file too."""
    held = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  names that the database gave
            for row in cursor.fetchall():
                held += [bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for cell in row]
    if connection.vendor == "sqlite":
        held.append(connection.connection.serialize())
    return b"\n".join(held)


def test_number_and_holder_are_not_in_the_databases_bytes(canaries, saved):
    stored = everything_stored()

    assert b"1173" in stored
    assert [
        canary for canary in canaries if canary.encode() in stored or canary.encode().hex().encode() in stored
    ] == []


def test_number_and_holder_are_not_logged(canaries, caplog):
    caplog.set_level(logging.DEBUG)
    ada = member()
    card(of=ada, number=CARD, holder=Secret(HOLDER))
    bank_account(of=ada, number=ACCOUNT, holder=Secret(HOLDER), country="CN", bank_code="102100099996", currency="CNY")
    logging.getLogger("test").warning("saved %r", vars(Instrument.objects.with_details().first().card))

    assert [canary for canary in canaries if canary in caplog.text] == []


def test_number_and_holder_are_on_no_page_of_the_back_office(client, canaries, saved):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    plastic, account = saved
    pages = [
        reverse("admin:wallets_instrument_changelist"),
        reverse("admin:wallets_instrument_changelist") + f"?q={CARD.replace(' ', '')}",
        reverse("admin:wallets_instrument_change", args=[plastic.pk]),
        reverse("admin:wallets_instrument_change", args=[account.pk]),
        reverse("admin:wallets_accountproof_changelist"),
        *(
            reverse("admin:wallets_accountproof_change", args=[pk])
            for pk in AccountProof.objects.values_list("pk", flat=True)
        ),
        reverse("admin:core_auditentry_changelist"),
        *(reverse("admin:core_auditentry_change", args=[pk]) for pk in AuditEntry.objects.values_list("pk", flat=True)),
    ]

    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200
        shown = answer.content.decode()
        asked = "?q=" in page
        assert [canary for canary in canaries if canary in shown and not asked] == []
