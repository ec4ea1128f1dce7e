"""A number and a code that nobody may keep: after everything was done with them they are found nowhere."""

import base64
import inspect
import io
import json
import logging
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from cards.models import Card
from cards.services import authorising, card_pins, codes, issuing, reveals, telling
from cards.services.life import Channel
from members.models import User
from members.services import privacy
from paymentsite.celery import app
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.vault import Secret
from tests.cards.factories import card, debit
from tests.cards.using import Ask, Told, ask, facts, online, tell
from tests.wallets.factories import wallet

PIN = "407193"

pytestmark = [pytest.mark.attack, pytest.mark.django_db]


def everything_stored() -> str:
    """Every row of every table, as the database gives it out."""
    told = io.StringIO()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  our own names
            for row in cursor.fetchall():
                told.write(f"{table} {row!r}\n")
    return told.getvalue()


def file_of_the_database() -> str:
    """The bytes of the file that SQLite writes; of PostgreSQL, the rows of each table as a dump copies them."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        return bytes(connection.connection.serialize()).decode("latin-1")
    told = io.StringIO()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = connection.ops.quote_name(model._meta.db_table)
            with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as rows:  # noqa: S608  our own names
                for row in rows:
                    told.write(bytes(row).decode("latin-1"))
    return told.getvalue()


def dump() -> str:
    """What an operator gets who asks Django for everything."""
    told = io.StringIO()
    call_command("dumpdata", stdout=told)
    return told.getvalue()


def forms_of(number: str) -> list[str]:
    """How a number could lie somewhere: as it is, in groups, cut, in other alphabets."""
    grouped = [sign.join(number[at : at + 4] for at in range(0, 16, 4)) for sign in " -"]
    raw = number.encode()
    return [number, number[:-1], number[1:], *grouped, raw.hex(), base64.b64encode(raw).decode().rstrip("=")]


def holds_code(text: str, code: str) -> bool:
    """Whether the three digits stand in it by themselves."""
    return re.search(rf"(?<![\w.:]){code}(?![\w.:])", text) is not None


def canary() -> tuple[Card, str, str]:
    """A card whose code nothing else says, so that it means something when it is found."""
    holder = wallet(500_00).member
    for number in range(20):
        found = card(holder, debit(held_max=20), reference=f"r{number}")
        code = codes.of(found, clock.now()).reveal()
        if not holds_code(everything_stored(), code):
            return found, found.number.decrypt().reveal(), code
    raise AssertionError("every code is somewhere")


@pytest.fixture
def logged():
    """Everything that is logged meanwhile, as it is written."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield told
    root.removeHandler(handler)
    root.setLevel(level)


def use_it(found: Card, code: str) -> str:
    """Whatever goes through the services; what they said."""
    said = [online(found, 1_00), online(found, 1_01, code=Secret("00")), online(found, 900_000_00)]
    said += [ask(found, 2_00, reference="one"), tell("capture", found, 2_00, reference="one", final=True)]
    question = Ask(**facts(found, 1_02), code=Secret(code), expires=(2020, 1))
    said += [question, authorising.authorise(ask=question, by=SYSTEM)]
    for wrong in ({"reference": "\n"}, {"merchant": None}):
        try:
            telling.capture(told=Told(**facts(found, 1_03, **wrong)), by=SYSTEM)
        except Exception as refusal:  # noqa: BLE001  also what breaks must not say it
            said += [refusal, repr(refusal)]
    by = Actor.of(found.member.user)
    card_pins.set_pin(card=found, new=Secret(PIN), by=by, channel=Channel.WEB, signed_in=timedelta(0))
    said += [ask(found, 3_00, pin=Secret(PIN)), ask(found, 3_01, pin=Secret(PIN[::-1]))]
    leave = reveals.permit(card=found, by=by, channel=Channel.WEB, signed_in=timedelta(0))
    shown = reveals.show(token=leave.token, by=by)
    said += [leave, shown]
    said += [json.dumps(privacy.export(member=found.member, by=by), default=str)]
    issuing.replace(card=found, why=issuing.Why.LOST, reference="new", by=by, channel=Channel.WEB)
    return "\n".join(map(repr, said))


def pages(client) -> str:
    """Every list of the back office, and a page of each of its rows' kinds that cards have."""
    client.force_login(User.objects.create_superuser("operator@example.com"))
    told = []
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        told.append(client.get(reverse(f"{name}_changelist")).content.decode())
        if model._meta.app_label in {"cards", "core"}:
            told += [
                client.get(reverse(f"{name}_change", args=[row.pk])).content.decode()
                for row in model.objects.order_by("-pk")[:3]
            ]
    return "\n".join(told)


def test_number_and_code_are_nowhere(client, logged, capfd):
    found, number, code = canary()

    said = use_it(found, code)
    places = {
        "what services say": said,
        "the database": everything_stored(),
        "its file": file_of_the_database(),
        "a dump": dump(),
        "letters": repr([message.message().as_string() for message in mail.outbox]),
        "the back office": pages(client),
        "the log": logged.getvalue() + "".join(capfd.readouterr()),
    }

    assert {place: form for place, text in places.items() for form in forms_of(number) if form in text} == {}
    assert [place for place, text in places.items() if holds_code(text, PIN)] == []
    # In the bytes of a file, and on pages, three digits stand by themselves for many reasons.
    spoken = ("what services say", "the database", "a dump", "letters", "the log")
    assert [place for place in spoken if holds_code(places[place], code)] == []


def test_nothing_travels_with_a_task():
    """So that no queue, be it a folder or Redis, ever holds more than that something is to be done."""
    own = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}

    assert own
    assert [name for name, task in own.items() if inspect.signature(task.run).parameters] == []


def test_what_is_kept_in_clear_is_found():
    """The control: a label that is the number, past the services, and a code that somebody wrote down."""
    found, number, code = canary()
    Card.objects.filter(pk=found.pk).update(label=f"{number} {code} {PIN}")

    for place in (everything_stored(), file_of_the_database(), dump()):
        assert any(form in place for form in forms_of(number))
    for place in (everything_stored(), dump()):
        assert (holds_code(place, code), holds_code(place, PIN)) == (True, True)
    assert PIN in file_of_the_database()
