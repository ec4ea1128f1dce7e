import pytest
import structlog
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from members.models import User
from paymentsite.urls import handler403

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    return User.objects.create_user("member@example.com", "maple-lantern-17")


def test_home_is_for_who_is_signed_in(client):
    assert client.get("/home/").headers["Location"] == "/account/login/?next=/home/"


def test_landing_is_open_and_leads_on_who_is_signed_in(client, member):
    assert client.get("/").status_code == 200

    client.force_login(member)
    assert client.get("/").headers["Location"] == "/home/"


def test_home_says_who_you_are_and_offers_no_admin_to_a_member(client, member):
    client.force_login(member)
    page = client.get("/home/").content.decode()

    assert "You are signed in as member@example.com." in page
    assert reverse("admin:index") not in page


def test_home_offers_the_admin_to_staff(client):
    client.force_login(User.objects.create_user("staff@example.com", is_staff=True))

    assert 'href="/admin/"' in client.get("/home/").content.decode()


def test_member_signs_in_with_address_in_any_case_and_password(client, member):
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    answer = client.post("/account/login/", {"login": "Member@Example.com", "password": "maple-lantern-17"})

    assert answer.headers["Location"] == "/home/"


@pytest.mark.attack
@pytest.mark.parametrize("login", ["member@example.com", "nobody@example.com"])
def test_refused_sign_in_says_the_same_of_known_and_unknown(client, member, login):
    answer = client.post("/account/login/", {"login": login, "password": "wrong-wrong-wrong"})

    assert answer.status_code == 200
    assert "The email address and/or password you specified are not correct." in answer.content.decode()


def test_language_is_what_the_browser_asks_for_until_it_is_chosen(client):
    assert "支付，由自己掌控" in client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9"}).content.decode()

    client.post("/language/", {"language": "zh-hans", "next": "/"})
    assert "支付，由自己掌控" in client.get("/", headers={"Accept-Language": "en"}).content.decode()


@pytest.mark.attack
def test_language_switch_leads_to_no_other_site(client):
    answer = client.post("/language/", {"language": "en", "next": "https://evil.example/"})

    assert answer.headers["Location"] == "/"


def test_content_policy_is_strict_but_for_the_admin(client):
    strict = client.get("/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in strict
    assert "unsafe" not in strict

    client.force_login(User.objects.create_superuser("root@example.com"))
    assert "'unsafe-eval'" in client.get("/admin/").headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/account/login/", "/account/signup/", "/nothing/here"])
def test_page_has_nothing_inline(client, path):
    page = client.get(path).content.decode()

    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert all("src=" in tag or "application/json" in tag for tag in page.split("<script")[1:])


def test_each_answer_carries_the_id_that_the_log_knows(client):
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        answer = client.get("/")

    assert {line["request_id"] for line in lines} == {answer.headers["Request-Id"]}


def test_missing_page_quotes_the_request_id(client):
    answer = client.get("/nothing/here")

    assert answer.status_code == 404
    assert "Nothing here" in answer.content.decode()
    assert answer.headers["Request-Id"] in answer.content.decode()


def test_unknown_host_is_answered_400(client):
    answer = client.get("/", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert "That request makes no sense" in answer.content.decode()


def test_form_without_its_token_is_answered_403():
    answer = Client(enforce_csrf_checks=True).post("/account/login/", {"login": "a"})

    assert answer.status_code == 403
    assert "That form has expired" in answer.content.decode()


def test_forbidden_page_is_ours(rf):
    answer = handler403(rf.get("/x"), PermissionDenied())

    assert answer.status_code == 403
    assert "Not for you" in answer.content.decode()


def test_crash_is_answered_without_asking_the_database(client, monkeypatch, django_assert_num_queries):
    def crash(request):
        raise RuntimeError("card 4111111111111111")

    monkeypatch.setattr("paymentsite.portal.home.render", crash, raising=True)
    client.raise_request_exception = False
    with django_assert_num_queries(0):
        answer = client.get("/")

    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Our mistake" in page
    assert answer.headers["Request-Id"] in page
    assert "4111111111111111" not in page
    assert "Traceback" not in page
