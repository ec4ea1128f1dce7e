import json
import logging

import pytest
import structlog
from django.conf import settings

from paymentsite.core import logs

# A number of the test range that passes Luhn, in the ways people write it.
CANARY = "4111111111111111"


@pytest.fixture
def as_in_production():
    """Sets up the log as in production, when called; afterwards it is as before."""
    yield lambda: logs.configure(logs.config(level="INFO", lines=False))
    logs.configure(settings.LOGGING)


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        f"card {CANARY}.",
        f"pan:{CANARY},next",
        f'{{"number": "{CANARY}"}}',
        f"/pay?number={CANARY}&to=9",
        "378282246310005",
        "6304000000000000000",
        f"01a1f9a6-34ed-76cc-9588-282149906856 {CANARY}",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111  1111  1111  1111",
        "4111.1111.1111.1111",
        f"01a1f9a6-34ed-76cc-9588-282149906856-{CANARY}",
    ],
)
def test_card_number_is_hidden_however_it_is_written(text):
    hidden = logs.hide(text)

    assert logs.HIDDEN in hidden
    assert "1111" not in hidden
    assert "0005" not in hidden


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "20261120133425",
        "0190f3c2-7d1e-7000-8000-123456789012",
        "account 01a1f9a6-34ed-76cc-9588-282149906856 opened",  # the digits at its end are a card's
        "order 12345",
        "from 192.168.100.111 and 192.168.100.105",
        "1,250.00 CNY",
    ],
)
def test_other_numbers_stay(text):
    assert logs.hide(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "PIN: hunter2",
        "cvv=hunter2&x=1",
        '"client_secret": "hunter2"',
        "{'new_password1': 'hunter2'}",
        "Authorization: Bearer hunter2",
        "/reset?token=hunter2",
        "api_key=hunter2",
        "X-Api-Key: hunter2",
        "accessToken=hunter2",
        '{"newPassword": "hunter2"}',
        "clientSecret: hunter2",
        "pinCode=hunter2",
        '{"password": {"a": "hunter2"}}',
        "postgresql://site:hunter2@db:5432/site",
        "otp => hunter2",
        "cut off: 'password': 'hunter2",
        'cut off: pin="hunter2',
        "a=b=password=hunter2",
    ],
)
def test_value_of_what_is_named_like_a_secret_is_hidden(text):
    assert "hunter2" not in logs.hide(text)


@pytest.mark.parametrize(
    "text", ["timeSpan=2", "spinIt: 1", "shipping: Berlin", "spinning=1", "the company: Acme", "japan: 3", "mapping=2"]
)
def test_names_that_only_contain_one_stay(text):
    assert logs.hide(text) == text


@pytest.mark.parametrize(
    "part",
    ["-", "_-", "a.", "a ", "://", "://a:", "pin={", 'pin="', "pin='\"", "1 ", "1", "a =", "basic pin=basic "],
)
def test_however_long_a_line_is_it_keeps_nobody_busy(part):
    # Where a line of twice the length takes four times as long, a million characters take hours, and this never ends.
    line = part * (1_000_000 // len(part))

    assert "hunter2" not in logs.hide(f"{line}= password=hunter2")


def test_card_number_and_secrets_reach_no_log_by_any_way(as_in_production, capsys):
    as_in_production()
    ours = structlog.get_logger("paymentsite.test")
    theirs = logging.getLogger("some.library")

    ours.info("charged", number=CANARY, card={"pan": "x", "expiry": [CANARY, int(CANARY)]}, pin="9876")
    ours.info(f"charged {CANARY}")
    theirs.warning("sent %s with cvv=%s", CANARY, "9876")
    try:
        int(f"bad card {CANARY}, pin=9876")
    except ValueError:
        theirs.exception("failed")
        ours.exception("failed")

    text = capsys.readouterr().err
    assert len(text.splitlines()) == 5
    assert CANARY not in text
    assert "9876" not in text
    assert text.count("ValueError: invalid literal for int() with base 10: 'bad card [hidden], pin=[hidden]'") == 2


def test_each_line_is_json_with_the_request_id(as_in_production, capsys):
    as_in_production()
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("paymentsite.test").info("posted", journals=3, late=False, of=None)
        logging.getLogger("some.library").info("said")

    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], first["journals"], first["late"], first["of"]) == ("posted", 3, False, None)
    assert (second["event"], second["logger"]) == ("said", "some.library")
    assert first["request_id"] == second["request_id"] == "r-1"
    assert first["level"] == "info"


def test_ticks_are_quiet_and_their_failures_are_not(as_in_production, capsys):
    as_in_production()
    logging.getLogger("celery.app.trace").info("succeeded")
    logging.getLogger("celery.app.trace").error("failed")

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["failed"]
