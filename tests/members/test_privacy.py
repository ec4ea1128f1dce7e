"""What is kept about a member is told to them, and taken away when they have left."""

import json

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from members import personal
from members.models import KycCase, KycChunk, Member, Notice, PhoneProof, Pin, PinRecovery, User
from members.queries import payees
from members.services import members, pin_recovery, pins, privacy
from members.services.privacy import MemberNotClosed, StillStaff
from paymentsite.core import verification
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from tests.factories import cny, purse
from tests.members.factories import approved, member, superuser

pytestmark = pytest.mark.django_db

PHONE = Secret("+8613800004711")


@pytest.fixture
def ada(mailoutbox) -> Member:
    """Somebody of whom everything is kept that can be."""
    made = approved(member(handle="ada", display_name="Ada L.", phone=PHONE, user__email="ada@example.com"), 3)
    by = Actor.of(made.user)
    pins.set_pin(member=made, pin=Secret("482916"), by=by)
    pin_recovery.request_recovery(member=made, by=by)
    members.edit(member=made, by=by, display_name="Ada Lovelace", handle="countess")
    Authenticator.objects.create(user=made.user, type="totp", data={"secret": "x"})
    made.user.set_password("maple-lantern-17")
    made.user.save()
    return Member.objects.get(pk=made.pk)


@pytest.fixture
def ann() -> Actor:
    return Actor.of(superuser("ann@example.com"))


@pytest.fixture
def bob() -> Actor:
    return Actor.of(superuser("bob@example.com"))


def erased(who: Member, ann: Actor, bob: Actor) -> Approval:
    members.close(member=who, by=ann, reason="left")
    proposal = privacy.erase(member=who, by=ann, reason="asked for it")
    return approvals.approve(approval=proposal, by=bob, shown=proposal.shown)


def test_export_tells_all_that_is_kept_and_only_of_them(ada):
    approved(member(handle="bob", display_name="Bo", user__email="bo@example.com"), 2, legal_name=Secret("Bo Diddley"))

    told = privacy.export(member=ada, by=Actor.of(ada.user))

    text = json.dumps(told, ensure_ascii=False)
    for kept in ("ada@example.com", "countess", PHONE.reveal(), "1990-05-04", "Ada Lovelace", "GB", "selfie", "totp"):
        assert kept in text
    for other in ("bo@example.com", "Diddley", "482916", "argon2"):
        assert other not in text
    assert {"profile", "sign-in", "sessions", "events", "notices", "identity", "trail", "phone numbers"} <= set(told)
    assert AuditEntry.objects.get(act="member.exported").by == str(Actor.of(ada.user))


def test_higher_app_tells_and_takes_away_what_it_keeps(ada, ann, bob, monkeypatch):
    taken = []
    monkeypatch.setattr(privacy, "_exporters", dict(privacy._exporters))
    monkeypatch.setattr(privacy, "_erasers", dict(privacy._erasers))
    privacy.exporter("test")(lambda who: {"balance": cny(5), "of": who.pk})
    privacy.eraser("test")(lambda who: taken.append(who.pk))

    assert privacy.export(member=ada, by=ann)["test"] == {"balance": "0.05 CNY", "of": ada.pk}
    with pytest.raises(TypeError, match="already"):
        privacy.exporter("test")(lambda _who: None)
    with pytest.raises(TypeError, match="already"):
        privacy.eraser("test")(lambda _who: None)
    erased(ada, ann, bob)
    assert taken == [ada.pk, ada.pk]  # rehearsed, then done


@pytest.mark.parametrize("state", ["active", "suspended"])
def test_data_of_who_has_not_left_is_not_erased(ada, ann, state):
    if state == "suspended":
        members.suspend(member=ada, by=ann, reason="x")

    with pytest.raises(MemberNotClosed):
        privacy.erase(member=ada, by=ann, reason="x")


def test_data_of_staff_is_not_erased(ada, ann):
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    members.close(member=ada, by=ann, reason="left")

    with pytest.raises(StillStaff):
        privacy.erase(member=ada, by=ann, reason="x")


def test_erasing_takes_two_people(ada, ann):
    members.close(member=ada, by=ann, reason="left")
    proposal = privacy.erase(member=ada, by=ann, reason="asked for it")

    with pytest.raises(approvals.OwnProposal):
        approvals.approve(approval=proposal, by=ann, shown=proposal.shown)
    assert Member.objects.get(pk=ada.pk).erased_at is None
    assert EmailAddress.objects.filter(user=ada.pk).exists()


def test_nothing_that_names_or_lets_in_is_left(ada, ann, bob):
    browser = Client()
    browser.post(reverse("account_login"), {"login": "ada@example.com", "password": "maple-lantern-17"})
    UserSession.objects.get_or_create(
        user=ada.user, session_key=browser.session.session_key or "x", defaults={"ip": "192.0.2.1", "user_agent": "x"}
    )

    erased(ada, ann, bob)

    user = User.objects.get(pk=ada.pk)
    assert (user.email, user.is_active, user.has_usable_password()) == (f"erased-{ada.pk}@erased.invalid", False, False)
    gone = Member.objects.get(pk=ada.pk)
    assert (gone.handle, gone.display_name, gone.birthday) == (None, "", None)
    assert (gone.phone, gone.phone_digest, gone.phone_proven_at) == (None, None, None)
    assert gone.erased_at is not None
    for model in (EmailAddress, Authenticator, UserSession, Notice, PhoneProof, PinRecovery, KycChunk):
        assert not model.objects.exists()
    assert Pin.objects.get().hashed is None
    assert browser.get("/home/").status_code == 302
    assert payees.find(PHONE.reveal()) is payees.find("@countess") is payees.find("ada@example.com") is None


def test_nothing_readable_is_left_in_any_table(ada, ann, bob):
    """Every text of every table is looked at, the trail that nobody can erase among them."""
    erased(ada, ann, bob)

    rows = [(model, str(list(model.objects.values()))) for model in _models()]
    for personal_text in ("ada@example.com", "countess", "Lovelace", "Ada L", PHONE.reveal(), "E0000", "1990-05-04"):
        assert [model.__name__ for model, text in rows if personal_text in text] == []


def _models():
    from django.apps import apps  # noqa: PLC0415  every model there is, once all are loaded

    return [model for model in apps.get_models() if model.__name__ != "Session"]


def test_money_and_levels_stay_told(ada, ann, bob):
    account = purse(700, owner=ada.owner)
    ledger.post(ledger.Move(cny(700), account, ledger.house("cash", "CNY")), scope="test", reference="out")
    erased(ada, ann, bob)

    assert [line.amount for line in books.statement(account).lines] == [cny(-700), cny(700)]
    assert list(KycCase.objects.filter(member=ada.pk).order_by("level").values_list("level", "state")) == [
        (1, "approved"),
        (2, "approved"),
        (3, "approved"),
    ]
    assert list(ada.events.values_list("kind", flat=True)) == ["joined", "closed", "erased"]
    assert verification.discover().run().findings == []


def test_erasing_twice_is_erasing_once(ada, ann, bob):
    erased(ada, ann, bob)
    before = Member.objects.values().get(pk=ada.pk)

    erased(ada, ann, bob)

    assert Member.objects.values().get(pk=ada.pk) == before
    assert ada.events.filter(kind="erased").count() == 1


def test_phone_address_and_document_are_free_again(ada, ann, bob):
    number = KycCase.objects.get(member=ada, level=2).number.decrypt()
    erased(ada, ann, bob)

    again = approved(member(handle="countess", phone=PHONE, user__email="ada@example.com"), 2, number=number)
    assert again.kyc_level == 2
    assert personal.erased_address(ada.pk) == User.objects.get(pk=ada.pk).email


def test_deed_proposes_erasure_of_who_has_left(ada, ann, bob):
    admin = Client()
    admin.force_login(User.objects.get(email="ann@example.com"))
    page = reverse("admin:members_member_erase", args=[ada.pk])
    shown = reverse("admin:members_member_change", args=[ada.pk])
    assert page not in admin.get(shown).content.decode()

    members.close(member=ada, by=ann, reason="left")
    assert page in admin.get(shown).content.decode()
    admin.post(page, {"reason": "asked for it"})
    assert Approval.objects.get().act == "members.erase"
