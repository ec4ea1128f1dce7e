import pytest
from django.core.management import CommandError, call_command

from members import demo
from members.models import KycCase, Member, User
from members.queries import payees
from members.services import members, pins
from paymentsite.core import verification
from paymentsite.core.vault import Secret

pytestmark = pytest.mark.django_db


def test_no_sample_data_outside_a_sandbox(settings):
    settings.SANDBOX = False

    with pytest.raises(CommandError, match="only with SANDBOX=1"):
        call_command("demo")
    assert not User.objects.exists()


def test_filling_twice_adds_nothing():
    first, second = list(demo.fill()), list(demo.fill())

    assert first == second
    assert User.objects.count() == 5


def test_sample_members_show_every_level_and_state_of_identity():
    list(demo.fill())

    assert dict(Member.objects.values_list("handle", "kyc_level")) == {"lin": 2, "wang_lei": 3, "ada": 1, "kenji": 2}
    open_cases = KycCase.objects.open().values_list("member__handle", "level", "state")
    assert sorted(open_cases) == [("ada", 2, "submitted"), ("kenji", 3, "more_needed")]
    assert verification.discover().run(only=["members"]).findings == []


def test_sample_members_are_found_by_their_phones_wherever_texts_go(settings):
    settings.TEXT_MESSAGES = "tests.nobody.Sends"

    list(demo.fill())

    assert payees.find("+8613800000001") == Member.objects.get(handle="lin")
    assert not Member.objects.filter(phone_proven_at=None).exists()


def test_sample_member_pays_with_the_pin_that_is_said():
    said = list(demo.fill())

    pins.check(member=Member.objects.get(handle="lin"), pin=Secret(said[-1].split()[-1]))


def test_sample_member_who_never_joined_joins():
    user = User.objects.create_user(*demo.MEMBER)

    list(demo.fill())

    assert members.of(user).kyc_level == 2


@pytest.mark.parametrize(("login", "password"), [demo.OPERATOR, demo.MEMBER])
def test_people_can_sign_in_as_the_command_says(client, capsys, login, password):
    call_command("demo")

    assert f"{login}  {password}" in capsys.readouterr().out.replace("    ", "  ")
    answer = client.post("/account/login/", {"login": login, "password": password})
    assert answer.headers["Location"] == "/home/"
