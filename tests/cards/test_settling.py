"""Debts that are written off and refunds that are put on wallets: by two people, once, and as it is told."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cards.models import Card, CardMessage
from cards.services import debts, losses, refunds_aside, settling
from cards.services.settling import NothingOwed
from cards.verify import settling as checks
from members.models import User
from paymentsite.core import verification
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance, Journal, Posting
from paymentsite.ledger.services import manual
from tests.cards.leftovers import items, owing, page, place, standing, stray, stuck, told_last
from tests.cards.using import debt, loaded, spending, stands, tell
from tests.factories import cny, fund
from tests.verified import clean
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def write_off(found: Card) -> Approval:
    return settling.write_off_debt(member=found.member, currency="CNY", by=staff(), reason="cannot be had")


def test_debt_is_our_loss_when_two_people_say_so():
    found = owing(30_00)
    proposal = write_off(found)
    assert (debt(found), items(), clean()) == (30_00, {debts.OWED}, True)

    decide(proposal)

    assert (debt(found), items(), abs(standing(losses.LOSSES))) == (0, set(), 30_00)
    entry = AuditEntry.objects.get(act=settling.DEBT_TOLD)
    assert (entry.reason, entry.after["amount"]) == ("cannot be had", cny(30_00).to_wire())
    assert told_last(found.member) == "You owe us 30.00 CNY no longer: we wrote it off."
    assert clean()


def test_what_there_is_pays_before_anything_is_written_off():
    found = owing(30_00)
    fund(found.account, 12_00)

    decide(write_off(found))

    assert (debt(found), stands(found), abs(standing(losses.LOSSES))) == (0, (0, 0), 18_00)
    assert clean()


def test_debt_that_grew_since_is_looked_at_anew():
    found = owing(30_00)
    proposal = write_off(found)
    tell("capture", found, 5_00, final=True)

    with pytest.raises(approvals.EffectChanged):
        decide(proposal)

    assert debt(found) == 35_00


def test_who_owes_nothing_is_forgiven_nothing():
    with pytest.raises(NothingOwed):
        write_off(spending(10_00))
    assert not Approval.objects.exists()


def test_debt_is_not_moved_by_hand():
    found = owing()
    account = Balance.objects.get(account__code="card debt").account

    with pytest.raises(manual.AccountKept):
        manual.post_manual(
            amount=cny(1),
            source=ledger.house("cash", "CNY"),
            target=account,
            reference="x",
            by=staff(),
            reason="they paid in cash",
        )
    assert debt(found) == 30_00


def test_both_are_proposed_in_the_back_office(operator):
    found, message = owing(30_00), stray(20_00)
    assert "CN¥30.00" in operator.get(page(found, "write_off")).content.decode()
    assert "CN¥20.00" in operator.get(page(message, "place")).content.decode()

    operator.post(page(found, "write_off"), {"reason": "cannot be had"})
    operator.post(page(message, "place"), {"member": f"@{found.member.handle or ''}", "reason": "theirs"})
    answer = operator.post(page(message, "place"), {"member": found.member.pk, "reason": "theirs"}, follow=True)

    assert answer.status_code == 200
    assert {each.act for each in Approval.objects.all()} == {"cards.write_off_debt", "cards.place_refund"}


def test_buttons_are_there_while_there_is_something_to_decide(operator):
    found, message = owing(), stuck()
    rich = loaded()

    assert page(found, "write_off") in operator.get(page(found)).content.decode()
    assert page(rich, "write_off") not in operator.get(page(rich)).content.decode()
    assert page(message, "place") in operator.get(page(message)).content.decode()
    decide(place(message, message.use.member))
    assert page(message, "place") not in operator.get(page(message)).content.decode()


def test_deeds_are_for_those_with_the_right(client):
    found, message = owing(), stray()
    client.force_login(User.objects.create_user("viewer@example.com", is_staff=True))

    assert client.post(page(found, "write_off"), {"reason": "x"}).status_code == 403
    assert client.post(page(message, "place"), {"member": found.member_id, "reason": "x"}).status_code == 403


def test_list_of_messages_asks_as_often_for_many_refunds_as_for_one(operator):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(reverse("admin:cards_cardmessage_changelist")).status_code == 200
        return len(queries)

    card = stuck().use.card
    few = count()
    for number in range(3):
        tell("refund", card, 1_00, reference="bought", message_id=f"again {number}")
    assert count() == few


@pytest.fixture
def decided() -> tuple[Journal, Journal]:
    """A debt that was written off, and a refund that was placed."""
    decide(write_off(owing(30_00)))
    message = stuck(20_00)
    decide(place(message, message.use.member))
    return Journal.objects.get(scope=losses.WRITTEN_OFF), Journal.objects.get(scope=refunds_aside.PLACED)


Plant = Callable[[Journal], str]


def amount(journal: Journal) -> str:
    Posting.objects.filter(journal=journal).update(amount_minor=1)
    return f"journal {journal.pk}"


def source(journal: Journal) -> str:
    Posting.objects.filter(journal=journal).update(source=ledger.house("fees", "CNY"))
    return f"journal {journal.pk}"


def target(journal: Journal) -> str:
    Posting.objects.filter(journal=journal).update(target=wallet().account)
    return f"journal {journal.pk}"


def told(journal: Journal) -> AuditEntry:
    return AuditEntry.objects.get(after__journal=str(journal.pk))


def untold(journal: Journal) -> str:
    AuditEntry.objects.filter(pk=told(journal).pk).update(act="card.closed")
    return f"journal {journal.pk}"


def told_twice(journal: Journal) -> str:
    entry = told(journal)
    AuditEntry.objects.create(**{name: getattr(entry, name) for name in ("at", "by", "act", "subject", "after")})
    return f"journal {journal.pk}"


def told_of_nothing(journal: Journal) -> str:
    entry = told(journal)
    AuditEntry.objects.filter(pk=entry.pk).update(after={**entry.after, "journal": "none"})
    return "journal none"


def told_otherwise(journal: Journal) -> str:
    entry = told(journal)
    AuditEntry.objects.filter(pk=entry.pk).update(after={**entry.after, "amount": cny(1).to_wire()})
    return f"journal {journal.pk}"


def of_another_message(journal: Journal) -> str:
    other = CardMessage.objects.filter(kind="capture").first()
    Journal.objects.filter(pk=journal.pk).update(reference=str(other.pk))
    return f"journal {journal.pk}"


BOTH = (amount, source, target, untold, told_twice, told_of_nothing, told_otherwise)
CORRUPTIONS = [
    *(("write_offs_are_told", 0, plant) for plant in BOTH),
    *(("refunds_are_placed", 1, plant) for plant in (*BOTH, of_another_message)),
]


def findings(check: str) -> Iterator[str]:
    return (finding.subject for finding in verification.discover().run(only=[f"cards.{check}"]).findings)


@pytest.mark.parametrize(("check", "which", "plant"), CORRUPTIONS)
def test_corruption_is_found_and_named(decided, unprotected, check, which, plant):
    assert list(findings(check)) == []

    with unprotected():
        subject = plant(decided[which])

    assert subject in findings(check)


def test_each_check_has_a_corruption():
    ours = {name for name in vars(checks) if f"cards.{name}" in verification.discover().checks}

    assert {check for check, _which, _plant in CORRUPTIONS} | {"losses_are_made_good"} == ours


def test_debt_written_off_twice_is_found(decided, unprotected):
    with unprotected():
        amount(decided[0])

    assert list(findings("debts_are_booked")) == [f"{decided[0].postings.get().target.owner} in CNY"]
