"""How often a decision goes to the database and back."""

import tempfile
from itertools import pairwise

import pytest
from django.db import connection

from cards.models import CardAuthorisation
from tests.cards.using import ask, spending

pytestmark = pytest.mark.django_db(transaction=True)

TRIPS_MAX = 6


def trips(work) -> int:
    """How often the server had to answer before we said something more, by the protocol itself."""
    server = connection.connection.pgconn
    with tempfile.TemporaryFile("w+") as told:
        server.trace(told.fileno())
        try:
            work()
        finally:
            server.untrace()
        told.seek(0)
        sides = [line.split("\t")[1] for line in told if line.count("\t") > 1]
    return sum(before == "F" and after == "B" for before, after in pairwise(sides))


def test_question_goes_six_ways_however_many_uses_there_were(settings):
    found = spending(1_000_00)
    settings.SANDBOX = False  # whose clock is asked of the database
    for _ in range(8):
        assert ask(found, 1).code == "approved"  # from the sixth on the server knows the statements

    if connection.vendor == "postgresql":
        assert trips(lambda: ask(found, 1)) <= TRIPS_MAX
        assert trips(lambda: ask(found, 999_999_00)) <= TRIPS_MAX
    assert CardAuthorisation.objects.filter(card=found).count() >= 8
