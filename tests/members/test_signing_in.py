"""Signing up and in: whoever does is a member, and nobody learns who else is."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from members.models import Member, User
from members.services import members, sessions
from paymentsite.core.actors import Actor
from tests.members.factories import confirmed, member

pytestmark = pytest.mark.django_db

PASSWORD = "maple-lantern-17"
KNOWN, UNKNOWN = "known@example.com", "nobody@example.com"


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def known() -> Member:
    ada = confirmed(member(user__email=KNOWN))
    ada.user.set_password(PASSWORD)
    ada.user.save()
    return ada


def answer(client: Client, name: str, **given: str) -> tuple[int, str, str]:
    """Status, where it leads, and the text there, without what differs from one form to the next."""
    response = client.post(reverse(name), given)
    page = client.get(response.headers["Location"]) if "Location" in response.headers else response
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page.content.decode())
    return response.status_code, response.headers.get("Location", ""), re.sub("(known|nobody)@", "somebody@", text)


def sign_up(client: Client, email: str) -> tuple[int, str, str]:
    return answer(client, "account_signup", email=email, password1=PASSWORD, password2=PASSWORD)


def test_who_signs_up_is_a_member_and_confirms_by_code(client, mailoutbox):
    client.post(
        reverse("account_signup"),
        {"email": UNKNOWN, "password1": PASSWORD, "password2": PASSWORD},
        headers={"Accept-Language": "zh-CN"},
    )
    joined = Member.objects.get(user__email=UNKNOWN)
    assert (joined.state, joined.language, joined.kyc_level) == ("active", "zh-hans", 0)
    assert not EmailAddress.objects.get().verified
    assert client.get("/home/").status_code == 302

    code = re.search(r"^([A-Z0-9-]{6,9})$", mailoutbox[0].body, re.MULTILINE)[1]
    led = client.post(reverse("account_email_verification_sent"), {"code": code})
    assert led.headers["Location"] == "/home/"
    assert EmailAddress.objects.get().verified
    assert User.objects.get().password.startswith("argon2")


def test_sign_up_that_fails_halfway_leaves_nothing(client, monkeypatch):
    def crash(**_):
        raise RuntimeError("half way")

    monkeypatch.setattr(members, "join", crash)
    client.raise_request_exception = False

    assert (
        client.post(
            reverse("account_signup"), {"email": UNKNOWN, "password1": PASSWORD, "password2": PASSWORD}
        ).status_code
        == 500
    )
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()


@pytest.mark.attack
@pytest.mark.usefixtures("known")
def test_sign_up_with_a_known_address_looks_like_any_other():
    of_known, of_unknown = sign_up(Client(), KNOWN), sign_up(Client(), UNKNOWN)

    assert of_known == of_unknown
    assert of_known[:2] == (302, "/account/confirm-email/")
    assert User.objects.count() == 2


@pytest.mark.attack
@pytest.mark.usefixtures("known")
def test_sign_up_whose_address_was_taken_a_moment_ago_looks_like_any_other(monkeypatch):
    """Two take one address at once: the form of the second saw it free."""
    monkeypatch.setattr("members.signing_in.SignUpForm.validate_unique_email", lambda _form, value: value)
    raced, plain = sign_up(Client(), KNOWN), sign_up(Client(), UNKNOWN)

    assert raced == plain
    assert User.objects.filter(email=KNOWN).count() == 1


@pytest.mark.attack
@pytest.mark.usefixtures("known")
def test_reset_of_an_unknown_password_looks_like_any_other(mailoutbox):
    of_known = answer(Client(), "account_reset_password", email=KNOWN)
    of_unknown = answer(Client(), "account_reset_password", email=UNKNOWN)

    assert of_known == of_unknown
    assert of_known[:2] == (302, "/account/password/reset/done/")
    assert [mail.to for mail in mailoutbox] == [[KNOWN], [UNKNOWN]]


@pytest.mark.attack
@pytest.mark.usefixtures("known")
def test_wrong_sign_in_of_unknown_people_looks_like_any_other():
    of_known = answer(Client(), "account_login", login=KNOWN, password="wrong-wrong")
    of_unknown = answer(Client(), "account_login", login=UNKNOWN, password="wrong-wrong")

    assert of_known == of_unknown
    assert of_known[0] == 200


@pytest.fixture
def hashes(monkeypatch) -> list[str]:
    """Each password that is hashed, whoever's."""
    from django.contrib.auth import hashers  # noqa: PLC0415  the class that settings name

    seen: list[str] = []
    encode = hashers.Argon2PasswordHasher.encode
    verify = hashers.Argon2PasswordHasher.verify
    monkeypatch.setattr(hashers.Argon2PasswordHasher, "encode", lambda *given: (seen.append("made"), encode(*given))[1])
    monkeypatch.setattr(
        hashers.Argon2PasswordHasher, "verify", lambda *given: (seen.append("compared"), verify(*given))[1]
    )
    return seen


@pytest.mark.attack
@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("login", [KNOWN, UNKNOWN])
def test_sign_in_costs_one_hash_whoever_it_is(client, hashes, login):
    client.post(reverse("account_login"), {"login": login, "password": "wrong-wrong"})

    assert len(hashes) == 1


@pytest.mark.attack
@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("email", [KNOWN, UNKNOWN])
def test_sign_up_costs_one_hash_whoever_it_is(client, hashes, email):
    sign_up(client, email)

    assert len(hashes) == 1


@pytest.mark.attack
@pytest.mark.parametrize("login", [KNOWN, UNKNOWN])
def test_guessing_at_one_sign_in_is_stopped_after_five(known, login):
    texts = [answer(Client(), "account_login", login=login, password=f"wrong-{n}")[2] for n in range(6)]

    assert ["Too many failed" in text for text in texts] == [False] * 5 + [True]


@pytest.mark.attack
def test_limits_count_people_behind_the_proxy_apart(known, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    cache.clear()

    def stopped(address: str) -> bool:
        proxied = {"X-Forwarded-For": f"198.51.100.9, {address}", "X-Forwarded-Proto": "https"}
        given = {"login": f"{address}@example.com".replace(":", ""), "password": "wrong"}
        return Client(headers=proxied).post(reverse("account_login"), given).status_code == 429

    assert [stopped("203.0.113.7") for _ in range(31)].count(True) == 1
    assert not stopped("203.0.113.8")


def signed_in(client: Client, *, again: bool) -> Client:
    """Signed in, and ``again`` a moment ago, as sensitive pages want it."""
    client.post(reverse("account_login"), {"login": KNOWN, "password": PASSWORD})
    if again:
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


SENSITIVE = ["mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"]


@pytest.mark.attack
@pytest.mark.parametrize("name", SENSITIVE)
def test_sensitive_page_asks_again_who_it_is(client, known, name):
    Authenticator.objects.create(user=known.user, type="webauthn", data={})
    client.force_login(known.user)

    assert client.get(reverse(name)).headers["Location"].startswith("/account/reauthenticate/")
    assert client.post(reverse(name)).headers["Location"].startswith("/account/reauthenticate/")


def test_asking_again_holds_for_five_minutes(client, known):
    signed_in(client, again=True)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200

    session = client.session
    session["account_authentication_methods"][-1]["at"] -= 301
    session.save()
    assert client.get(reverse("mfa_activate_totp")).status_code == 302


@pytest.mark.parametrize("name", ["mfa_activate_totp", "mfa_add_webauthn", "usersessions_list", "mfa_index"])
def test_page_of_factors_and_sessions_is_there(client, known, name):
    assert signed_in(client, again=True).get(reverse(name)).status_code == 200


def test_recovery_codes_come_with_a_factor(client, known):
    signed_in(client, again=True)
    Authenticator.objects.create(user=known.user, type="totp", data={"secret": "x"})

    client.post(reverse("mfa_generate_recovery_codes"))
    assert Authenticator.objects.filter(user=known.user, type="recovery_codes").exists()


def test_second_factor_is_asked_for_after_the_password(client, known):
    Authenticator.objects.create(user=known.user, type="totp", data={"secret": "x"})

    led = client.post(reverse("account_login"), {"login": KNOWN, "password": PASSWORD})
    assert led.headers["Location"] == "/account/2fa/authenticate/"
    assert client.get("/home/").status_code == 302


def test_sessions_are_listed_and_ended_by_their_owner_alone(known):
    here, there = Client(), Client()
    for browser in (here, there):
        browser.post(reverse("account_login"), {"login": KNOWN, "password": PASSWORD})
    first = sessions.of(known.user)[-1]
    stranger = member().user

    assert not sessions.end(user=stranger, session_id=first.pk, by=Actor.of(stranger))
    assert sessions.end(user=known.user, session_id=first.pk, by=Actor.of(known.user))
    assert not sessions.end(user=known.user, session_id=first.pk, by=Actor.of(known.user))
    assert sorted(browser.get("/home/").status_code for browser in (here, there)) == [200, 302]
    assert sessions.end_all(user=known.user, by=Actor.of(known.user)) == 1
    assert [browser.get("/home/").status_code for browser in (here, there)] == [302, 302]


def test_other_sessions_are_ended_on_the_page(known):
    here, there = Client(), Client()
    for browser in (there, here):
        browser.post(reverse("account_login"), {"login": KNOWN, "password": PASSWORD})

    here.post(reverse("usersessions_list"))

    assert (here.get("/home/").status_code, there.get("/home/").status_code) == (200, 302)
    assert UserSession.objects.count() == 1
