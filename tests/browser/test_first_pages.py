import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page, expect

from members import demo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}


def sign_in(page: Page, login: str, password: str) -> None:
    page.goto("/account/login/")
    page.locator("#id_login").fill(login)
    page.locator("#id_password").fill(password)
    page.locator("main form.stack button[type=submit]").first.click()


def faults(page: Page) -> list[str]:
    """What axe finds wrong, and what sticks out of the window."""
    found = [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("wider than the window")
    return found


@pytest.mark.parametrize(
    ("viewport", "scheme", "locale"),
    [(PHONE, "light", "en"), (PHONE, "dark", "zh-CN"), (DESK, "light", "zh-CN"), (DESK, "dark", "en")],
    ids=["phone-light-en", "phone-dark-zh", "desk-light-zh", "desk-dark-en"],
)
def test_pages_are_accessible_in_every_size_light_and_language(visit, viewport, scheme, locale):
    list(demo.fill())
    page = visit("/", viewport=viewport, color_scheme=scheme, locale=locale)
    found = {"/": faults(page)}
    for path in ("/account/login/", "/account/signup/", "/account/password/reset/", "/nothing/here"):
        page.goto(path)
        found[path] = faults(page)
    sign_in(page, *demo.OPERATOR)
    page.wait_for_url("**/home/")
    for path in ("/home/", "/account/2fa/", "/account/password/change/", "/account/email/", "/account/logout/"):
        page.goto(path)
        found[path] = faults(page)

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_axe_would_find_something(visit):
    """A control of the test above: the same look at a page with two faults finds both."""
    page = visit("/")
    page.evaluate("document.querySelector('main').style.minWidth = '3000px'")
    page.evaluate("document.documentElement.removeAttribute('lang')")

    assert [fault.split(":")[0] for fault in faults(page)] == ["html-has-lang", "wider than the window"]


def test_visitor_signs_in_and_out(visit):
    list(demo.fill())
    page = visit("/")
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    sign_in(page, *demo.MEMBER)

    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    expect(page.get_by_text("You are signed in as member@example.com.")).to_be_visible()
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)

    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("main").get_by_role("button").click()
    page.goto("/home/")
    assert "/account/login/" in page.url


def test_language_is_switched_and_stays(visit):
    page = visit("/")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("支付，由自己掌控")
    assert page.locator("html").get_attribute("lang") == "zh-hans"

    page.goto("/account/login/")
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign In")


def test_dark_is_dark_and_light_is_light(visit):
    def paper(scheme: str) -> int:
        page = visit("/", color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", colour)[:3])

    assert paper("dark") < 150
    assert paper("light") > 600


def test_staff_open_the_admin_without_a_complaint(visit):
    list(demo.fill())
    page = visit("/account/login/")
    sign_in(page, *demo.OPERATOR)
    page.get_by_role("link", name="Open the admin").click()
    page.goto("/admin/members/user/")

    expect(page.get_by_role("link", name="operator@example.com")).to_be_visible()


@pytest.mark.attack
def test_inline_script_does_not_run(browser, live_server):
    page = browser.new_context().new_page()
    page.goto(live_server.url)
    with pytest.raises(Error, match="Content Security Policy"):
        page.add_script_tag(content="document.title = 'taken over'")

    assert "taken over" not in page.title()
