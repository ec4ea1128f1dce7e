"""Text that does not show itself."""

import copy
import json
import logging
import pickle
import traceback
from uuid import UUID

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from paymentsite.core.vault import (
    Secret,
)

CANARY = "4111111111111111"
CARD = UUID("0190a7a8-0000-7000-8000-000000000001")
OTHER = UUID("0190a7a8-0000-7000-8000-000000000002")


@pytest.mark.parametrize(
    "shown",
    [
        str,
        repr,
        "{}".format,
        "{:>40}".format,
        "{0!r}".format,
        lambda s: f"{s}",
        lambda s: f"{[s]}",
    ],
)
def test_secret_does_not_show_itself(shown):
    assert CANARY not in shown(Secret(CANARY))


@pytest.mark.parametrize(
    "written",
    [
        json.dumps,
        lambda secret: json.dumps(secret, cls=DjangoJSONEncoder),
        pickle.dumps,
        lambda secret: pickle.dumps(secret, 0),
        lambda secret: pickle.dumps({"card": [secret]}),
        list,
        vars,
        bytes,
        len,
        int,
    ],
)
def test_secret_cannot_be_written_down(written):
    with pytest.raises(TypeError) as caught:
        written(Secret(CANARY))

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("content", [None, 4111, b"4111", Secret("4111")])
def test_secret_of_anything_but_text_is_refused(content):
    with pytest.raises(TypeError, match="made of text"):
        Secret(content)


def test_secret_that_utf8_cannot_hold_is_refused_without_quoting_it():
    with pytest.raises(ValueError, match="UTF-8") as caught:
        Secret(CANARY + "\udcff")

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_secret_is_equal_by_content_and_to_secrets_alone():
    assert Secret("é") == Secret("é")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("a")
    assert not Secret("")


def test_secret_survives_copies():
    secret = Secret(CANARY)

    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": secret})["a"] is secret


def test_secret_stays_out_of_logs(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("tests").info("card %s %r", Secret(CANARY), {"n": Secret(CANARY)})

    assert CANARY not in caplog.text
