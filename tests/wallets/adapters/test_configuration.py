"""How gateways are configured, and what of it stops the start."""

import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from paymentsite.core.vault import Secret
from paymentsite.env import ROOT
from tests.wallets.adapters.keys import OURS, THEIRS
from tests.wallets.adapters.keys import ROOT as ROOTS
from wallets.gateways import checks, registry
from wallets.gateways.configuration import NEEDED, from_environment

STRIPE = {"STRIPE_SECRET_KEY": "sk_test_CANARY", "STRIPE_WEBHOOK_SECRET": "whsec_CANARY"}
ALIPAY = {
    "ALIPAY_APP_ID": "2021000000000001",
    "ALIPAY_SELLER_ID": "2088000000000001",
    "ALIPAY_PRIVATE_KEY": OURS.bare,
    "ALIPAY_PUBLIC_KEY": THEIRS.public,
}
CERTIFICATES = {
    "ALIPAY_PUBLIC_KEY": "",
    "ALIPAY_APP_CERT": OURS.certificate,
    "ALIPAY_CERT": THEIRS.certificate,
    "ALIPAY_ROOT_CERT": ROOTS.certificate,
}
WECHATPAY = {
    "WECHATPAY_MCHID": "1900000001",
    "WECHATPAY_APPID": "wx0000000000000001",
    "WECHATPAY_PRIVATE_KEY": OURS.pem.replace("\n", "\\n"),
    "WECHATPAY_CERT_SERIAL": OURS.serial,
    "WECHATPAY_APIV3_KEY": "0123456789abcdefCANARYkey0123456",
}
WHOLE = {"stripe": STRIPE, "alipay": ALIPAY, "wechatpay": WECHATPAY}


def configured(environment):
    return from_environment(lambda name: environment.get(name, ""))


def found(check):
    return [(message.id, str(message.msg)) for message in check()]


def test_nothing_said_configures_nothing():
    assert configured({}) == ({}, [])


@pytest.mark.parametrize("name", WHOLE)
def test_all_that_is_needed_makes_an_adapter(name):
    entries, problems = configured(WHOLE[name])

    assert (list(entries), problems) == ([name], [])
    with override_settings(GATEWAYS=entries):
        assert registry.get(name).name == name
        assert found(checks.usable) == []


@pytest.mark.parametrize(("name", "missing"), [(name, one) for name, needed in NEEDED.items() for one in needed])
def test_half_of_it_is_a_problem_and_no_gateway(name, missing):
    entries, problems = configured({**WHOLE[name], missing: ""})

    assert entries == {}
    assert problems == [f"The gateway {name} is configured by half: {missing} is missing."]


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"STRIPE_CURRENCIES": "EUR"}, "configured by half"),
        ({**STRIPE, "STRIPE_CONNECT": "perhaps"}, "STRIPE_CONNECT is yes or no"),
        ({**ALIPAY, "ALIPAY_PUBLIC_KEY": ""}, "set ALIPAY_PUBLIC_KEY, or else the three certificates"),
        ({**ALIPAY, **CERTIFICATES, "ALIPAY_PUBLIC_KEY": "x"}, "set ALIPAY_PUBLIC_KEY, or else"),
        ({**ALIPAY, **CERTIFICATES, "ALIPAY_ROOT_CERT": ""}, "ALIPAY_ROOT_CERT go together"),
        ({**WECHATPAY, "WECHATPAY_PUBLIC_KEY": "x"}, "WECHATPAY_PUBLIC_KEY_ID go together"),
        ({**WECHATPAY, "WECHATPAY_TRANSFER_REPORT": "a=b"}, "belongs to a WECHATPAY_TRANSFER_SCENE"),
        ({**WECHATPAY, "WECHATPAY_TRANSFER_SCENE": "1000", "WECHATPAY_TRANSFER_REPORT": "a"}, "kind=text"),
    ],
)
def test_what_does_not_fit_together_is_a_problem(environment, problem):
    entries, problems = configured(environment)

    assert entries == {}
    assert [problem in said for said in problems] == [True]
    with override_settings(GATEWAY_PROBLEMS=problems):
        assert found(checks.whole) == [("paymentsite.E060", problems[0])]


def test_what_may_be_said_beside_is_heard():
    stripe, _ = configured({**STRIPE, "STRIPE_CURRENCIES": "USD, jpy".upper(), "STRIPE_CONNECT": "1"})
    alipay, _ = configured({**ALIPAY, **CERTIFICATES})
    scene = {"WECHATPAY_TRANSFER_SCENE": "1005", "WECHATPAY_TRANSFER_REPORT": "岗位类型=会员, 报酬说明=提现"}
    wechatpay, _ = configured({**WECHATPAY, **scene})

    assert (stripe["stripe"]["currencies"], stripe["stripe"]["connect"]) == (("USD", "JPY"), True)
    assert alipay["alipay"]["certificates"] == (OURS.certificate, THEIRS.certificate, ROOTS.certificate)
    assert wechatpay["wechatpay"]["transfer_report"] == {"岗位类型": "会员", "报酬说明": "提现"}


def test_an_entry_shows_no_secret():
    entries, _ = configured({**STRIPE, **ALIPAY, **WECHATPAY})

    assert not [secret for secret in ("CANARY", OURS.bare[:40]) if secret in repr(entries)]


def test_keys_that_are_none_stop_the_start_and_are_not_shown():
    entries, _ = configured(
        {**STRIPE, "STRIPE_SECRET_KEY": "pk_CANARY", **WECHATPAY, "WECHATPAY_PRIVATE_KEY": "CANARY"}
    )

    with override_settings(GATEWAYS=entries):
        problems = found(checks.usable)

    assert [(code, said.split(":")[0]) for code, said in problems] == [
        ("paymentsite.E061", "The gateway stripe cannot be used"),
        ("paymentsite.E061", "The gateway wechatpay cannot be used"),
    ]
    assert "CANARY" not in str(problems)


def test_a_package_that_is_not_there_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("wallets.gateways.stripe")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "stripe", None)
    entries, _ = configured(STRIPE)

    with override_settings(GATEWAYS=entries):
        assert "pip install -r requirements-gateways.txt" in found(checks.usable)[0][1]


@pytest.mark.parametrize(
    ("environment", "modes", "problem"),
    [
        (STRIPE, {"PRODUCTION": True, "SANDBOX": False}, "paymentsite.E062"),
        ({**ALIPAY, "ALIPAY_SANDBOX": "1"}, {"PRODUCTION": True, "SANDBOX": False}, "paymentsite.E062"),
        ({**ALIPAY, "ALIPAY_APP_ID": "9021000000000001"}, {"PRODUCTION": True, "SANDBOX": False}, "paymentsite.E062"),
        ({**STRIPE, "STRIPE_SECRET_KEY": "sk_live_1"}, {"PRODUCTION": False, "SANDBOX": True}, "paymentsite.E063"),
        (ALIPAY, {"PRODUCTION": False, "SANDBOX": True}, "paymentsite.E063"),
        (WECHATPAY, {"PRODUCTION": False, "SANDBOX": True}, "paymentsite.E063"),
        (STRIPE, {"PRODUCTION": False, "SANDBOX": True}, None),
        ({**STRIPE, "STRIPE_SECRET_KEY": "sk_live_1"}, {"PRODUCTION": True, "SANDBOX": False}, None),
        (WECHATPAY, {"PRODUCTION": True, "SANDBOX": False}, None),
    ],
)
def test_tests_and_real_money_keep_apart(environment, modes, problem):
    entries, _ = configured(environment)

    with override_settings(GATEWAYS=entries, SITE_URL="https://pay.example.com", **modes):
        assert [code for code, _said in found(checks.of_this_world)] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("production", "site", "stops"),
    [
        (True, "http://localhost:8000", True),
        (True, "https://pay.example.com", False),
        (False, "http://localhost:8000", False),
    ],
)
def test_gateways_are_told_an_address_that_they_reach(production, site, stops):
    entries, _ = configured(WECHATPAY)

    with override_settings(GATEWAYS=entries, PRODUCTION=production, SANDBOX=False, SITE_URL=site):
        assert ("paymentsite.E065" in dict(found(checks.of_this_world))) is stops


def test_stripes_own_log_stops_the_start(monkeypatch):
    monkeypatch.setenv("STRIPE_LOG", "debug")
    entries, _ = configured(STRIPE)

    with override_settings(GATEWAYS=entries):
        assert [code for code, _said in found(checks.usable)] == ["paymentsite.E064"]
    with override_settings(GATEWAYS={}):
        assert found(checks.usable) == []


# The command


def listed(entries, problems=(), **modes):
    out = StringIO()
    with override_settings(GATEWAYS=entries, GATEWAY_PROBLEMS=list(problems), **modes):
        call_command("gateways", stdout=out)
    return out.getvalue()


def test_gateways_lists_what_each_can_do():
    entries, _ = configured({**STRIPE, **ALIPAY, **CERTIFICATES})

    said = listed({"stripe": entries["stripe"]}, SANDBOX=True)

    assert said == "stripe: cancel, query, refund, top_up, webhook; notifies /hooks/stripe/; tests\n"
    assert listed({}) == "No gateway is configured.\n"
    assert "payout" in listed({"alipay": entries["alipay"]}, SANDBOX=False)


def test_gateways_fails_where_something_is_wrong():
    with pytest.raises(CommandError, match=r"by half.*E060"):
        listed({}, ["The gateway stripe is configured by half."])
    with pytest.raises(CommandError, match="E061"):
        listed(
            {"stripe": {"adapter": "wallets.gateways.stripe.Stripe", "key": Secret("x"), "webhook_secret": Secret("x")}}
        )


def test_a_start_with_half_a_gateway_is_refused_and_files_are_read(tmp_path):
    (tmp_path / "key").write_text("sk_test_1\n")
    half = {"SANDBOX": "1", "STRIPE_SECRET_KEY_FILE": str(tmp_path / "key")}

    refused = command("check", **half)
    allowed = command("check", **half, STRIPE_WEBHOOK_SECRET="whsec_1")

    assert refused.returncode == 1
    assert "STRIPE_WEBHOOK_SECRET is missing" in refused.stderr
    assert allowed.returncode == 0


def command(*words, **environment):
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_CONFIG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**bare, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
