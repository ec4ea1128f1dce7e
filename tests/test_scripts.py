"""The two commands, as someone meets them who has just cloned the repository."""

import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import psutil
import pytest
import requests

from members import demo
from tests.scripts import ROOT, SHELL, environment, run
from tests.servers import valkey

pytestmark = pytest.mark.xdist_group("scripts")

NO_DATABASE = "DATABASE_URL is none: postgresql://user:password@host:5432/name, or sqlite:////folder/file.\n"
MADE_ANEW = "Making tables and sample data"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of what is committed, with nothing installed."""
    folder = tmp_path_factory.mktemp("clone") / "paymentsite"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def installed(clone: Path) -> Path:
    """The clone, once its first start has installed what it needs; the port stops that start right after."""
    with taken_port() as port:
        done = run(clone, "./script/run", PORT=str(port))
    assert "is not free" in done.stderr, done.stderr
    return clone


@pytest.fixture
def tried(installed: Path) -> Path:
    """The clone, in which the site has run and ended."""
    if not has_tables(installed / "var" / "paymentsite.sqlite3"):
        with running(installed) as site:
            site.end(signal.SIGTERM)
    return installed


def has_tables(database: Path) -> bool:
    """A start that was refused may leave the file, and nothing in it."""
    if not database.exists():
        return False
    with closing(sqlite3.connect(database)) as found:
        return bool(found.execute("SELECT 1 FROM sqlite_master WHERE name = 'core_jobrun'").fetchone())


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def free_port() -> int:
    with taken_port() as port:
        return port


@pytest.mark.story
def test_busy_port_is_refused_with_a_sentence(installed):
    with taken_port() as port:
        done = run(installed, "./script/run", PORT=str(port))

    assert done.returncode == 1
    assert done.stderr == f"Port {port} is not free (Address already in use): choose another with PORT=….\n"


@pytest.mark.story
@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1", "８０"])
def test_port_that_is_none_is_refused_with_a_sentence(installed, port):
    done = run(installed, "./script/run", PORT=port)

    assert (done.returncode, done.stderr) == (1, f"PORT is {port!r}, which is not a port number.\n")


@pytest.mark.story
def test_unreachable_database_is_refused_with_a_sentence(installed):
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    done = run(installed, "./script/run", PORT=str(free_port()), DATABASE_URL=url)

    assert done.returncode == 1
    assert done.stderr.startswith("The database at DATABASE_URL does not answer: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.story
def test_database_url_that_is_none_is_refused_with_a_sentence(installed):
    done = run(installed, "./script/run", PORT=str(free_port()), DATABASE_URL="mysql://root@localhost/site")

    assert (done.returncode, done.stderr) == (1, NO_DATABASE)


@pytest.mark.parametrize("url", ["nonsense", "postgresql://localhost:port/site", "http://localhost/site"])
def test_other_urls_are_no_databases_either(url):
    spec = spec_from_file_location("serve", ROOT / "script" / "serve.py")
    serve = module_from_spec(spec)
    spec.loader.exec_module(serve)

    with pytest.raises(SystemExit) as ended:
        serve.known(url)
    assert f"{ended.value}\n" == NO_DATABASE
    for good in ("", "sqlite:////folder/file", "postgresql://user@localhost:5432/site"):
        serve.known(good)


@pytest.mark.story
def test_unreachable_broker_is_refused_with_a_sentence(installed):
    done = run(installed, "./script/run", PORT=str(free_port()), REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    assert done.returncode == 1
    assert done.stderr.startswith("The broker at REDIS_URL does not answer: ")


@dataclass
class Site:
    """./script/run, running."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    @property
    def said(self) -> str:
        return self.log.read_text()

    def children(self) -> dict[str, psutil.Process]:
        """The processes it keeps together, by what they are."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            words = child.cmdline()
            found[words[words.index("-m") + 1]] = child
        return found

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=40)


@contextmanager
def running(folder: Path, **own: str) -> Iterator[Site]:
    """The site, once it says where it is; nothing of it is left behind, however the test ends."""
    port, log = free_port(), folder.parent / "site.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["./script/run"], cwd=folder, env=environment(PORT=str(port), **own), stdout=out, stderr=out
        )
    site = Site(process, log, port)
    try:
        wait_until(lambda: f"paymentsite is at http://localhost:{port}" in site.said or process.poll() is not None)
        assert process.poll() is None, site.said
        yield site
    finally:
        if process.poll() is None:
            site.end(signal.SIGTERM)


def wait_until(true: Callable[[], object], *, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def ticks(folder: Path) -> int:
    """How many jobs the worker has done: there is one that is due as soon as a database is new."""
    with closing(sqlite3.connect(folder / "var" / "paymentsite.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM core_jobrun WHERE state = 'done'").fetchone()[0])


def sign_in(port: int, login: str, password: str) -> str:
    """Where a browser is sent after signing in; nowhere when it was refused."""
    session = requests.Session()
    session.trust_env = False
    page = f"http://localhost:{port}/account/login/"
    session.get(page, timeout=10)
    form = {"login": login, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    answer = session.post(page, form, allow_redirects=False, timeout=10)
    return answer.headers.get("Location", "")


@pytest.mark.story
def test_fresh_clone_serves_people_and_time_and_ends_when_asked(installed):
    shutil.rmtree(installed / "var", ignore_errors=True)

    with running(installed) as site:
        assert MADE_ANEW in site.said
        assert all(" ".join(words) in " ".join(site.said.split()) for words in (demo.OPERATOR, demo.MEMBER))
        assert sign_in(site.port, *demo.MEMBER) == "/home/"
        assert sign_in(site.port, demo.MEMBER[0], "wrong") == ""
        wait_until(lambda: ticks(installed))
        children = site.children()
        assert set(children) == {"gunicorn", "celery"}

        assert site.end(signal.SIGTERM) == 0
    assert not [child for child in children.values() if child.is_running()]
    assert [(installed / "var" / name).stat().st_mode & 0o077 for name in ("env", "keys.json")] == [0, 0]


@pytest.mark.story
def test_second_start_makes_nothing_anew_and_ctrl_c_ends_it(tried):
    with running(tried) as site:
        assert "Installing" not in site.said
        assert MADE_ANEW not in site.said
        assert site.end(signal.SIGINT) == 0


@pytest.mark.story
@pytest.mark.parametrize(("victim", "name"), [("gunicorn", "web"), ("celery", "worker")])
def test_death_of_one_process_ends_all_and_is_told(tried, victim, name):
    with running(tried) as site:
        children = site.children()
        children[victim].kill()

        assert site.process.wait(timeout=40) == 1
    assert f"The {name} process ended by itself (-9), so everything stops." in site.said
    assert not [child for child in children.values() if child.is_running()]


@pytest.mark.story
def test_time_comes_through_redis_too(tried):
    with closing(sqlite3.connect(tried / "var" / "paymentsite.sqlite3")) as database:
        database.execute("DELETE FROM core_jobrun")
        database.commit()

    with valkey() as url, running(tried, REDIS_URL=url):
        wait_until(lambda: ticks(tried))


# What the sample site's cards are, said by a process of its own to whoever asks, and written nowhere.
NUMBERS = """
from cards.models import Card
print(*(card.number.decrypt().reveal() for card in Card.objects.all()))
"""
PIN = "407193"
SETS_A_PIN = f"""
from datetime import timedelta
from cards.models import Card
from cards.services import card_pins
from cards.services.life import Channel
from paymentsite.core.actors import Actor
from paymentsite.core.vault import Secret
card = Card.objects.filter(state="active").first()
by = Actor.of(card.member.user)
card_pins.set_pin(card=card, new=Secret("{PIN}"), by=by, channel=Channel.WEB, signed_in=timedelta(0))
"""


def managed(folder: Path, *words: str) -> str:
    """What ``manage.py`` says on the sample site."""
    command = 'set -a; . ./var/env; set +a; exec .venv/bin/python manage.py "$@"'
    done = run(folder, SHELL, "-c", command, "manage", *words, SANDBOX="1")
    assert done.returncode == 0, done.stderr
    return done.stdout


def holding(folder: Path, *wanted: str) -> list[str]:
    """The files in which any of that stands, as bytes."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [str(path) for path in files if any(each.encode() in path.read_bytes() for each in wanted)]


@pytest.mark.story
def test_numbers_and_pins_of_cards_are_in_no_file(tried, tmp_path):
    """Not in the database's, the broker's, the log, a dump: after cards were looked at, used, and given a PIN."""
    numbers = managed(tried, "shell", "-v", "0", "-c", NUMBERS).split()
    managed(tried, "shell", "-v", "0", "-c", SETS_A_PIN)
    for what, card in (("authorise", numbers[0]), ("authorise", "4000001299999999")):
        managed(tried, "card_message", what, card, "12.34", "--page" if card in numbers else "--partial")
    shutil.copy(tried.parent / "site.log", tmp_path / "site.log")
    (tmp_path / "dump.json").write_text(managed(tried, "dumpdata"))
    (tmp_path / "verify.txt").write_text(managed(tried, "verify"))

    grouped = [" ".join(number[at : at + 4] for at in range(0, 16, 4)) for number in numbers]
    assert len(numbers) >= 5
    assert holding(tried / "var", *numbers, *grouped, PIN) == []
    assert holding(tmp_path, *numbers, *grouped, PIN) == []
    # The controls: what stands in the database is found in its file and in the dump, and what is planted where it lies.
    found = {Path(path).name for folder in (tried / "var", tmp_path) for path in holding(folder, "Corner Shop")}
    assert {"paymentsite.sqlite3", "dump.json"} <= found
    (tmp_path / "planted").write_bytes(b"\0" + numbers[1].encode())
    assert [Path(path).name for path in holding(tmp_path, *numbers)] == ["planted"]
