import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from members.models import User
from paymentsite.portal import second_factor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _required(settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = True


@pytest.fixture
def operator():
    return User.objects.create_superuser("operator@example.com")


def factor(user, type_=Authenticator.Type.TOTP):
    return Authenticator.objects.create(user=user, type=type_, data={"secret": "x"})


@pytest.mark.parametrize("path", ["/admin/", "/admin/members/user/", "/admin/nothing/"])
def test_staff_without_one_are_led_to_set_it_up(client, operator, path):
    client.force_login(operator)

    assert client.get(path).headers["Location"] == "/account/2fa/"


def test_recovery_codes_alone_are_none(client, operator):
    factor(operator, Authenticator.Type.RECOVERY_CODES)
    client.force_login(operator)

    assert client.get("/admin/").headers["Location"] == "/account/2fa/"


@pytest.mark.parametrize("type_", [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
def test_staff_with_one_enter(client, operator, type_):
    factor(operator, type_)
    client.force_login(operator)

    assert client.get("/admin/").status_code == 200


def test_staff_enter_without_where_settings_ask_for_none(client, operator, settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    client.force_login(operator)

    assert client.get("/admin/").status_code == 200


def test_admin_has_no_sign_in_of_its_own(client):
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/account/login/")
    assert client.get("/admin/login/").headers["Location"].startswith("/account/login/")


def test_member_is_kept_out_of_the_admin(client):
    member = User.objects.create_user("member@example.com")
    factor(member)
    client.force_login(member)

    assert client.get("/admin/").status_code in {302, 403}
    assert client.get("/admin/members/user/").status_code in {302, 403}


def test_last_factor_of_staff_cannot_be_dropped_but_replaced(operator):
    first = factor(operator)
    adapter = second_factor.Adapter()
    assert not adapter.can_delete_authenticator(first)

    factor(operator, Authenticator.Type.WEBAUTHN)
    assert adapter.can_delete_authenticator(first)


def test_members_may_drop_theirs():
    assert second_factor.Adapter().can_delete_authenticator(factor(User.objects.create_user("m@example.com")))


def test_staff_command_refuses_who_has_no_factor():
    user = User.objects.create_user("new@example.com")

    with pytest.raises(CommandError, match="has no second factor"):
        call_command("staff", "new@example.com")
    user.refresh_from_db()
    assert not user.is_staff


def test_staff_command_refuses_who_never_signed_up():
    with pytest.raises(CommandError, match="Nobody signs in as"):
        call_command("staff", "nobody@example.com")


def test_staff_command_gives_and_withdraws(capsys):
    user = User.objects.create_user("new@example.com")
    factor(user)

    call_command("staff", "New@example.com", "--superuser")
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (True, True)

    call_command("staff", "new@example.com", "--withdraw")
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert capsys.readouterr().out == "New@example.com is staff.\nnew@example.com is not staff.\n"


def test_factors_and_their_secrets_are_not_in_the_admin(client, operator):
    factor(operator)
    client.force_login(operator)

    assert client.get("/admin/mfa/authenticator/").status_code == 404


def test_sign_ins_are_listed_and_cannot_be_deleted(client, operator):
    factor(operator)
    client.force_login(operator)

    assert "operator@example.com" in client.get("/admin/members/user/").content.decode()
    assert client.get(f"/admin/members/user/{operator.pk}/change/").status_code == 200
    assert client.get(f"/admin/members/user/{operator.pk}/delete/").status_code == 403
