"""Rights are given by two people, to a third, and to nobody in any other way."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client

from members.models import Member, User
from members.services import rights
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor, OwnMatter
from paymentsite.core.errors import DomainError
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals, audit
from paymentsite.core.services.approvals import EffectChanged, OwnProposal, RightMissing
from tests.members.factories import UserFactory, member

pytestmark = pytest.mark.django_db

LIST = "/admin/members/user/"
EMPTY = {"staff": False, "superuser": False, "groups": [], "permissions": []}


def staff(*codenames: str, **fields: bool) -> User:
    user: User = UserFactory(is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def approve(proposal: Approval, by: User) -> None:
    approvals.approve(approval=proposal, by=Actor.of(by), shown=proposal.shown)


def proposed(user: User, by: User, **given: object) -> Approval:
    asked = {"staff": True, "superuser": False, "reason": "asked", **given}
    proposal: Approval = rights.grant(user=user, by=Actor.of(by), **asked)
    return proposal


@pytest.fixture
def root() -> User:
    return staff(is_superuser=True)


@pytest.fixture
def second() -> User:
    return staff("approve_rights", "view_approval")


@pytest.fixture
def newcomer() -> User:
    user: User = UserFactory()
    return user


class TestTheAdmin:
    ALL = ("add_user", "change_user", "delete_user", "view_user")

    def test_who_may_change_users_does_not_make_themselves_superuser(self):
        eve = staff(*self.ALL)
        page = f"{LIST}{eve.pk}/"

        edited = browser(eve).post(f"{page}change/", {"email": eve.email, "is_staff": "on", "is_superuser": "on"})
        asked = browser(eve).post(f"{page}grant/", {"superuser": "on", "reason": "x"})

        assert (edited.status_code, asked.status_code) == (403, 403)
        assert not fresh(eve).is_superuser
        assert not Approval.objects.exists()

    def test_who_may_propose_rights_proposes_none_for_themselves(self):
        eve = staff("view_user", "set_rights", "approve_rights")

        answer = browser(eve).post(f"{LIST}{eve.pk}/grant/", {"superuser": "on", "reason": "x"}, follow=True)

        assert "This is about yourself; somebody else must do it." in answer.content.decode()
        assert not Approval.objects.exists()

    @pytest.mark.parametrize("path", ["password/", "change/password/"])
    def test_nobody_sets_a_password(self, root, path):
        ada = member().user
        before = fresh(ada).password
        new = "walnut-harbour-42"

        for who in (root, staff(*self.ALL)):
            browser(who).post(f"{LIST}{ada.pk}/{path}", {"password1": new, "password2": new, "usable_password": "true"})
            browser(who).post(f"{LIST}{ada.pk}/change/", {"email": "eve@example.com", "password": new})

        assert (fresh(ada).password, fresh(ada).email) == (before, ada.email)

    def test_superuser_has_no_puppet_to_approve_with(self, root, newcomer):
        people = User.objects.count()
        new = {"email": "puppet@example.com", "password1": "walnut-harbour-42", "password2": "walnut-harbour-42"}
        assert browser(root).post(f"{LIST}add/", new).status_code == 403
        assert User.objects.count() == people

        # Signing up is free, so there may be a puppet; it stays without rights.
        granted = {"staff": "on", "superuser": "on", "reason": "a new colleague"}
        browser(root).post(f"{LIST}{newcomer.pk}/grant/", granted, follow=True)
        proposal = Approval.objects.get()
        with pytest.raises(OwnProposal):
            approve(proposal, root)
        with pytest.raises(OwnMatter):
            approve(proposal, newcomer)

        assert rights.held(fresh(newcomer)) == EMPTY
        assert proposal.state == Approval.State.PROPOSED

    def test_page_shows_rights_and_offers_what_can_be_done(self, root):
        bob = staff("view_user")

        text = browser(root).get(f"{LIST}{bob.pk}/change/").content.decode()

        assert "members.view_user" in text
        offered = [f"{LIST}{bob.pk}/{deed}/" in text for deed in ("grant", "withdraw", "deactivate", "activate")]
        assert offered == [True, True, True, False]

    def test_grant_is_proposed_and_given_by_a_second_person(self, root, second, newcomer):
        viewer = Permission.objects.get(codename="view_member")
        given = {"staff": "on", "permissions": [str(viewer.pk)], "reason": "a new colleague"}
        page = browser(root).post(f"{LIST}{newcomer.pk}/grant/", given, follow=True)
        assert "Proposed: the rights are given when somebody else approves." in page.content.decode()
        assert rights.held(fresh(newcomer)) == EMPTY

        proposal = Approval.objects.get()
        browser(second).post(f"/admin/core/approval/{proposal.pk}/approve/", {"shown": proposal.shown})

        assert rights.held(fresh(newcomer)) == {**EMPTY, "staff": True, "permissions": ["members.view_member"]}


class TestGranting:
    def test_who_it_is_for_neither_approves_nor_refuses(self, root):
        bob = staff("approve_rights")
        proposal = proposed(bob, root, superuser=True)

        with pytest.raises(OwnMatter):
            approve(proposal, bob)
        with pytest.raises(OwnMatter):
            approvals.refuse(approval=proposal, by=Actor.of(bob), note="no")
        assert not approvals.may_decide(Actor.of(bob), proposal)
        assert not fresh(bob).is_superuser

    def test_approving_takes_the_right(self, root, newcomer):
        with pytest.raises(RightMissing):
            approve(proposed(newcomer, root), staff("set_rights", "change_user"))

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"staff": False}, "rights_need_staff"),
            ({"permissions": ("members.fly",)}, "no_such_right"),
            ({"permissions": ("fly",)}, "no_such_right"),
            ({"groups": ("pilots",)}, "no_such_right"),
        ],
    )
    def test_what_cannot_be_granted_is_not_proposed(self, root, newcomer, given, code):
        with pytest.raises(DomainError) as refusal:
            proposed(newcomer, root, **given)
        assert refusal.value.code == code
        assert not Approval.objects.exists()

    def test_what_one_has_is_not_granted(self, root):
        with pytest.raises(rights.NothingToGrant):
            proposed(staff(), root)

    def test_nobody_without_a_second_factor_is_made_staff(self, root, newcomer, settings):
        settings.STAFF_SECOND_FACTOR_REQUIRED = True

        with pytest.raises(rights.FactorMissing):
            proposed(newcomer, root)

    def test_who_was_deactivated_meanwhile_gets_nothing(self, root, second, newcomer):
        proposal = proposed(newcomer, root)
        rights.deactivate(user=newcomer, by=Actor.of(second), reason="asked")

        with pytest.raises(rights.SignInInactive):
            approve(proposal, second)
        assert not fresh(newcomer).is_staff

    def test_group_that_means_more_than_was_shown_is_looked_at_again(self, root, second, newcomer):
        group = Group.objects.create(name="desk")
        proposal = proposed(newcomer, root, groups=("desk",))
        group.permissions.set(Permission.objects.filter(codename="approve_rights"))

        with pytest.raises(EffectChanged):
            approve(proposal, second)
        assert rights.held(fresh(newcomer)) == EMPTY


class TestTaking:
    @pytest.mark.parametrize("deed", [rights.withdraw, rights.deactivate, rights.activate])
    def test_nobody_does_it_to_themselves(self, root, deed):
        with pytest.raises(OwnMatter):
            deed(user=root, by=Actor.of(root), reason="x")

    def test_all_rights_are_withdrawn_at_once(self, root):
        bob = staff("view_user", "approve_rights", is_superuser=True)
        bob.groups.add(Group.objects.create(name="desk"))

        for _ in range(2):
            rights.withdraw(user=bob, by=Actor.of(root), reason="left")

        assert rights.held(fresh(bob)) == EMPTY
        entry = AuditEntry.objects.get(act="rights.withdrawn")
        assert (entry.by, entry.subject, entry.reason) == (str(Actor.of(root)), f"members.user:{bob.pk}", "left")

    def test_who_is_deactivated_is_signed_out_everywhere(self, root):
        ada = member().user
        client = browser(ada)
        client.get("/")
        UserSession.objects.get_or_create(
            user=ada, session_key=client.session.session_key, defaults={"ip": "192.0.2.1", "user_agent": "x"}
        )

        rights.deactivate(user=ada, by=Actor.of(root), reason="stolen")

        assert not fresh(ada).is_active
        assert not UserSession.objects.filter(user=ada).exists()
        assert "_auth_user_id" not in client.session

    def test_one_person_does_not_bring_rights_back(self, root):
        bob = staff()
        rights.deactivate(user=bob, by=Actor.of(root), reason="away")

        with pytest.raises(rights.RightsLeft):
            rights.activate(user=bob, by=Actor.of(root), reason="back")
        rights.withdraw(user=bob, by=Actor.of(root), reason="back")
        assert rights.activate(user=bob, by=Actor.of(root), reason="back").is_active

    def test_nobody_signs_in_again_as_who_was_erased(self, root):
        ada = member()
        rights.deactivate(user=ada.user, by=Actor.of(root), reason="asked")
        Member.objects.filter(pk=ada.pk).update(state="closed", erased_at=ada.joined_at)

        with pytest.raises(rights.SignInErased):
            rights.activate(user=ada.user, by=Actor.of(root), reason="x")


def found() -> list[tuple[str, str]]:
    report = verification.discover().run(only=["members.rights_are_on_record"])
    return [(finding.subject, finding.detail) for finding in report.findings]


class TestTheRecord:
    def test_command_grant_and_withdrawal_are_on_it(self, root, second, newcomer):
        approve(proposed(newcomer, root, superuser=True), second)
        call_command("staff", UserFactory().email, "--superuser")
        rights.withdraw(user=staff(), by=Actor.of(root), reason="left")

        assert found() == []
        assert AuditEntry.objects.filter(act="rights.appointed", reason="manage.py staff").get().by == str(SYSTEM)

    def test_flag_that_nobody_gave_is_found(self, newcomer):
        User.objects.filter(pk=newcomer.pk).update(is_superuser=True)

        assert found() == [(f"user {newcomer.pk}", "has rights, and nobody gave any by the audit trail")]

    def test_flag_beyond_what_was_given_is_found(self):
        bob = staff()
        User.objects.filter(pk=bob.pk).update(is_superuser=True)

        assert found() == [(f"user {bob.pk}", "is staff and superuser, by the audit trail staff")]

    def test_grant_that_nobody_approved_is_found(self, root, newcomer):
        User.objects.filter(pk=newcomer.pk).update(is_staff=True)
        by, after = Actor.of(root), {**EMPTY, "staff": True}
        audit.record(by=by, act="rights.granted", subject=newcomer, before=EMPTY, after=after)

        assert found() == [(f"user {newcomer.pk}", f"was given rights by {by}, which nobody approved")]
