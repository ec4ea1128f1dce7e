import pytest
from django.core.management import CommandError, call_command

from members import demo
from members.models import User

pytestmark = pytest.mark.django_db


def test_no_sample_data_outside_a_sandbox(settings):
    settings.SANDBOX = False

    with pytest.raises(CommandError, match="only with SANDBOX=1"):
        call_command("demo")
    assert not User.objects.exists()


def test_filling_twice_adds_nothing():
    first, second = list(demo.fill()), list(demo.fill())

    assert first == second
    assert User.objects.count() == 2


@pytest.mark.parametrize(("login", "password"), [demo.OPERATOR, demo.MEMBER])
def test_people_can_sign_in_as_the_command_says(client, capsys, login, password):
    call_command("demo")

    assert f"{login}  {password}" in capsys.readouterr().out.replace("    ", "  ")
    answer = client.post("/account/login/", {"login": login, "password": password})
    assert answer.headers["Location"] == "/home/"
