from collections.abc import Iterator

import pytest

from tests.faults import servers


@pytest.fixture(scope="session")
def server() -> Iterator[servers.Postgres]:
    with servers.postgres() as running:
        yield running
