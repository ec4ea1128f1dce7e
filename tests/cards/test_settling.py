"""Debts that are written off and refunds that are put on wallets: by two people, once, and as it is told."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cards.models import Card, CardMessage
from cards.services import debts, settling, telling
from cards.services.credit_decisions import WalletTakesNothing
from cards.services.settling import NothingOwed, RefundNotAside, RefundOfAnother
from cards.verify import settling as checks
from members.models import Member, Notice, User
from members.services import notices
from members.services.limits import BalanceLimitExceeded
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import Approval, AuditEntry, OpenItem
from paymentsite.core.services import approvals
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance, Journal, Posting
from paymentsite.ledger.services import manual
from tests.cards.using import STRANGER, debt, loaded, spending, stands, tell
from tests.factories import cny, fund
from tests.members.factories import member
from tests.members.limiting import cap
from tests.verified import clean
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import holds, wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def page(row, name="change") -> str:
    return reverse(f"admin:cards_{row._meta.model_name}_{name}", args=[row.pk])


def items() -> set[str]:
    """What waits for people, but for what was taken without a question, as all here is."""
    return set(OpenItem.objects.open().exclude(kind=telling.ABOVE).values_list("kind", flat=True))


def owing(minor: int = 30_00) -> Card:
    """Of a card with nothing on it so much was taken."""
    found = spending(0)
    tell("capture", found, minor, reference="owed", final=True)
    return found


def write_off(found: Card) -> Approval:
    return settling.write_off_debt(member=found.member, currency="CNY", by=staff(), reason="cannot be had")


def standing(code: str) -> int:
    return books.standing(ledger.house(code, "CNY")).posted.minor


def told_last(of: Member) -> str:
    return notices.sentence(Notice.objects.filter(member=of).latest("pk"))


def test_debt_is_our_loss_when_two_people_say_so():
    found = owing(30_00)
    proposal = write_off(found)
    assert (debt(found), items(), clean()) == (30_00, {debts.OWED}, True)

    decide(proposal)

    assert (debt(found), items(), abs(standing(settling.LOSSES))) == (0, set(), 30_00)
    entry = AuditEntry.objects.get(act=settling.DEBT_TOLD)
    assert (entry.reason, entry.after["amount"]) == ("cannot be had", cny(30_00).to_wire())
    assert told_last(found.member) == "You owe us 30.00 CNY no longer: we wrote it off."
    assert clean()


def test_what_there_is_pays_before_anything_is_written_off():
    found = owing(30_00)
    fund(found.account, 12_00)

    decide(write_off(found))

    assert (debt(found), stands(found), abs(standing(settling.LOSSES))) == (0, (0, 0), 18_00)
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


def stuck(minor: int = 20_00) -> CardMessage:
    """A refund that could not be on its card's account, which can take something again."""
    found = spending(100_00)
    tell("capture", found, 50_00, reference="bought", final=True)
    status(found, Balance.Status.FROZEN)
    tell("refund", found, minor, reference="bought")
    status(found, Balance.Status.OPEN)
    return CardMessage.objects.filter(kind="refund").latest("pk")


def status(of: Card, became: str) -> None:
    ledger.set_status(account=of.account, status=became, by=SYSTEM, reason="test")


def place(message: CardMessage, whose: Member) -> Approval:
    return settling.place_refund(message=message, member=whose, by=staff(), reason="it is theirs")


def test_refund_that_was_stuck_is_put_on_its_members_wallet():
    message = stuck(20_00)
    card = message.use.card
    assert (standing("suspense"), stands(card), items()) == (20_00, (50_00, 0), {"card_refund_stuck"})
    proposal = place(message, card.member)
    assert proposal.effect["amount"] == cny(20_00).to_wire()

    decide(proposal)

    assert (standing("suspense"), stands(card), items()) == (0, (70_00, 0), set())
    assert told_last(card.member) == "20.00 CNY that a merchant gave back to your card is in your wallet now."
    assert AuditEntry.objects.get(act=settling.REFUND_TOLD).subject == f"cards.cardmessage:{message.pk}"
    assert clean()


def test_refund_pays_what_its_member_owes():
    message = stuck(20_00)
    card = message.use.card
    tell("capture", card, 60_00, final=True)
    assert debt(card) == 10_00

    decide(place(message, card.member))

    assert (debt(card), stands(card), clean()) == (0, (10_00, 0), True)


def test_item_stays_until_the_last_refund_of_a_use_is_placed():
    first = stuck(20_00)
    card = first.use.card
    status(card, Balance.Status.FROZEN)
    tell("refund", card, 5_00, reference="bought")
    status(card, Balance.Status.OPEN)
    second = CardMessage.objects.filter(kind="refund").latest("pk")

    decide(place(first, card.member))
    assert items() == {"card_refund_stuck"}
    decide(place(second, card.member))
    assert (items(), stands(card), clean()) == (set(), (75_00, 0), True)


def test_refund_is_placed_once():
    message = stuck()
    owner = message.use.member
    first, second = place(message, owner), place(message, owner)

    decide(first)
    for again in (lambda: decide(second), lambda: place(message, owner)):
        with pytest.raises(RefundNotAside):
            again()

    assert standing("suspense") == 0
    assert clean()


def test_refund_of_one_members_card_is_nobody_elses():
    with pytest.raises(RefundOfAnother):
        place(stuck(), member())
    assert standing("suspense") == 20_00


def test_refund_waits_while_the_wallet_takes_nothing():
    message = stuck()
    status(message.use.card, Balance.Status.FROZEN)

    with pytest.raises(WalletTakesNothing):
        place(message, message.use.member)


@pytest.mark.parametrize("kind", ["capture", "refund"])
def test_message_that_set_nothing_aside_cannot_be_placed(kind):
    found = spending(100_00)
    tell(kind, found, 10_00)

    with pytest.raises(RefundNotAside):
        place(CardMessage.objects.get(), found.member)


def stray(minor: int = 20_00) -> CardMessage:
    """Money that came back to a number of nobody's."""
    tell("refund", spending(0), minor, number=STRANGER)
    return CardMessage.objects.get(use=None)


def test_refund_of_a_strangers_card_is_put_where_two_people_say():
    message, purse = stray(20_00), wallet(5_00)
    assert items() == {"card_message_stray"}

    decide(place(message, purse.member))

    assert (holds(purse), standing("suspense"), items(), clean()) == (cny(25_00), 0, set(), True)


def test_what_is_not_known_to_be_theirs_must_have_room():
    message, purse = stray(20_00), wallet(5_00)
    cap(24_99, measure="balance", period="always", member=purse.member)

    with pytest.raises(BalanceLimitExceeded):
        place(message, purse.member)


def test_capture_of_a_strangers_card_gives_nothing_to_place():
    tell("capture", spending(0), 20_00, number=STRANGER)

    with pytest.raises(RefundNotAside):
        place(CardMessage.objects.get(use=None), member())


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
    return Journal.objects.get(scope=settling.WRITTEN_OFF), Journal.objects.get(scope=settling.PLACED)


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

    assert {check for check, _which, _plant in CORRUPTIONS} == ours


def test_debt_written_off_twice_is_found(decided, unprotected):
    with unprotected():
        amount(decided[0])

    assert list(findings("debts_are_booked")) == [f"{decided[0].postings.get().target.owner} in CNY"]
