"""What whoever verifies an account must read in its statements is told nowhere else, and guesses become no cheaper."""

import json
import logging
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse

from members.models import Notice, User
from members.services import notices, privacy
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import Approval, AuditEntry, OpenItem
from paymentsite.core.services import approvals
from paymentsite.core.vault import Secret
from tests.members.factories import member
from tests.wallets.deposits import account, confirm, draw, sent, start, states, wrong
from tests.wallets.gateways import let_time_pass, wallet
from wallets.models import AccountProof, Notification, OrderEvent, ProofDeposit
from wallets.services import account_proofs, conflicts
from wallets.services.account_proofs import TooManyProofs
from wallets.services.small_deposits import DepositsWrong

pytestmark = [pytest.mark.attack, pytest.mark.django_db, pytest.mark.usefixtures("numbered", "routed", "drawn")]

# No hour, minute or second is as large, and no row's number here.
FIRST, SECOND = 83, 97
TOLD = re.compile(rf"(?<![\w-])(?:0[.,])?({FIRST}|{SECOND})(?![\w-])")
ENDINGS = (0, 2, 8, 10, 12, 16)


@pytest.fixture
def numbered(db):
    """Rows' numbers begin at a thousand, so that none is taken for an amount."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER SEQUENCE "{name}" RESTART WITH 1000')
        else:
            cursor.execute("DELETE FROM sqlite_sequence")
            cursor.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT name, 1000 FROM sqlite_master"
                " WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
            )


@pytest.fixture
def drawn(monkeypatch):
    draw(monkeypatch, FIRST, SECOND)


@pytest.fixture
def looker() -> Client:
    """Staff who may see all of wallets and members and what waits for people, and not the books."""
    user = User.objects.create_user("looker@example.com", is_staff=True)
    apps = ["wallets", "members", "core"]
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=apps))
    client = Client()
    client.force_login(user)
    return client


def lived() -> list[ProofDeposit]:
    """Deposits of every ending that there is."""
    for ending in ENDINGS:
        start(account(ending))
    let_time_pass()
    return sent()


def test_what_looks_finds_what_is_told():
    assert TOLD.search("<td>0.83 EUR</td>")
    assert TOLD.search('{"minor": 97}')


@pytest.mark.once
def test_page_of_the_back_office_tells_no_amount(looker):
    orders = lived()
    rows = [*orders, *AccountProof.objects.all(), *Notification.objects.all(), *OrderEvent.objects.all()]
    rows += [*OpenItem.objects.all(), *AuditEntry.objects.filter(subject__startswith="wallets.")]
    places = {type(row) for row in rows}
    pages = [reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist") for model in places]
    pages += [reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk]) for row in rows]
    pages += [reverse(f"admin:wallets_proofdeposit_{deed}", args=[orders[-1].pk]) for deed in ("ask", "end")]

    shown = 0
    for page in pages:
        answer = looker.get(page)
        assert answer.status_code == 200, page
        assert not TOLD.search(text(answer.content.decode())), page
        shown += 1

    assert shown > 50
    assert {ProofDeposit, AccountProof, Notification, OrderEvent, OpenItem, AuditEntry} == places


def text(page: str) -> str:
    """What a page says, its addresses too, without how it looks."""
    return re.sub(r"<(script|style|svg)\b.*?</\1>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize(
    "question",
    [
        f"proofdeposit/?amount_minor={FIRST}",
        f"proofdeposit/?amount_minor__gte={FIRST}",
        f"proofdeposit/?proof__first_minor={FIRST}",
        f"accountproof/?first_minor={FIRST}",
        f"accountproof/?first_minor__gt={FIRST}",
        f"accountproof/?deposits__amount_minor={FIRST}",
        f"orderevent/?proof_deposit__amount_minor={FIRST}",
        f"notification/?amount_minor={FIRST}",
    ],
)
def test_list_answers_no_question_about_amounts(looker, question):
    start(account())
    let_time_pass()
    path, _mark, asked = question.partition("?")
    there = looker.get(f"/admin/wallets/{path}?{asked}")
    not_there = looker.get(f"/admin/wallets/{path}?{asked.replace(str(FIRST), '5')}")

    assert (there.status_code, not_there.status_code) == (400, 400)


def test_list_is_still_narrowed_by_what_it_offers(looker):
    start(account(2))

    page = looker.get("/admin/wallets/proofdeposit/?state__exact=pending&currency__exact=EUR")

    assert (page.status_code, page.context["cl"].result_list.count()) == (200, 2)


def test_proposal_about_a_deposit_says_no_amount(looker):
    start(account(16))
    order = sent()[0]
    ann, bob = (User.objects.create_superuser(f"{name}@example.com") for name in ("ann", "bob"))
    conflicts.end(order=order, happened=True, by=Actor.of(ann), reason="the bank has it")
    proposal = Approval.objects.get()

    page = looker.get(reverse("admin:core_approval_change", args=[proposal.pk])).content.decode()
    approvals.approve(approval=proposal, by=Actor.of(bob), shown=proposal.shown)

    assert not TOLD.search(text(page))
    assert not TOLD.search(json.dumps([*AuditEntry.objects.values_list("after", "reason")], default=str))
    assert states()[0] == "succeeded"


def test_member_is_told_no_amount():
    ada = member()
    wallet(of=ada)
    said = []
    for ending in ENDINGS:
        with clock.standing(clock.now() + timedelta(days=40 * len(said))):
            said.append(start(account(ending, of=ada)))
            let_time_pass()
    told = [notices.sentence(each) for each in Notice.objects.filter(member=ada)]
    told += [str(each) for each in (*said, *sent(), *OrderEvent.objects.all())] + [repr(each) for each in sent()]

    assert len(told) > len(ENDINGS)
    assert not [each for each in told if TOLD.search(each)]


def test_what_is_kept_about_a_member_is_handed_out_without_amounts():
    ada = member()
    start(account(of=ada))

    kept = privacy.export(member=ada, by=Actor.of(ada.user))

    assert "small deposits" in json.dumps(kept, default=str)
    assert not TOLD.search(json.dumps(kept["small deposits"], default=str))


def test_log_and_verify_say_no_amount(caplog):
    caplog.set_level(logging.DEBUG)
    lived()
    AccountProof.objects.filter(state="waiting").update(second_minor=96)
    ProofDeposit.objects.filter(state="unknown").update(gateway="gone")
    let_time_pass()

    # The database's statements are not logged outside a debugger, and factories not outside tests: they count rows.
    others = ("django.db", "factory", "faker")
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith(others)]
    found = [str(each) for each in verification.discover().run(only=["wallets.deposits_are_their_proofs"]).findings]

    assert len(found) > 0
    assert not [each for each in ours + found if TOLD.search(each)]


def test_start_that_came_to_nothing_costs_no_attempt():
    ada = member()
    for _ in range(account_proofs.STARTS_MAX + 1):
        start(account(1, of=ada))

    assert start(account(of=ada)).state == "waiting"


def test_guess_costs_an_attempt_even_where_nothing_came():
    ada = member()
    for _ in range(account_proofs.STARTS_MAX):
        saved = account(3, of=ada)
        proof = start(saved)
        with pytest.raises(DepositsWrong):
            confirm(saved, *wrong(proof))
        let_time_pass(timedelta(minutes=5))

    assert states() == ["failed"] * 2 * account_proofs.STARTS_MAX
    with pytest.raises(TooManyProofs):
        start(account(3, of=ada))


def test_start_of_which_one_deposit_came_costs_an_attempt(monkeypatch):
    ada = member()
    draw(monkeypatch, 1, SECOND)  # of one cent less than that, the sandbox moves nothing
    for _ in range(account_proofs.STARTS_MAX):
        start(account(10, of=ada))

    assert states() == ["failed", "succeeded"] * account_proofs.STARTS_MAX
    with pytest.raises(TooManyProofs):
        start(account(10, of=ada))


def test_deposits_cannot_be_asked_for_again_and_again_by_passing():
    ada = member()
    for number in range(account_proofs.STARTS_MAX):
        saved = account(40 + number, of=ada)
        start(saved)
        assert confirm(saved, FIRST, SECOND).verified

    with pytest.raises(TooManyProofs):
        start(account(30, of=ada))
    by_name = {"legal_name": Secret("Ada Lovelace"), "by": SYSTEM}
    assert account_proofs.match_name(instrument=account(31, of=ada), **by_name).state == "passed"


def test_deposit_that_came_after_all_costs_its_attempt_again():
    ada = member()
    for _ in range(account_proofs.STARTS_MAX):
        start(account(15, of=ada))
    assert states() == ["failed"] * 2 * account_proofs.STARTS_MAX
    let_time_pass()

    assert states() == ["succeeded"] * 2 * account_proofs.STARTS_MAX
    with pytest.raises(TooManyProofs):
        start(account(15, of=ada))
