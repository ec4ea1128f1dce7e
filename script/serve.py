"""Prepares the sandbox and keeps its processes together; started by ./script/run."""

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

ROOT: Final = Path(__file__).resolve().parent.parent
VAR: Final = ROOT / "var"
PYTHON: Final = sys.executable
PATIENCE: Final = 20
PORT_MAX: Final = 65_535


def main() -> None:
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")
    # A script's own folder is what Python puts first; the site's packages are in the one above.
    sys.path[0] = str(ROOT)
    port = free_port()
    known(os.environ.get("DATABASE_URL", ""))
    make_private_settings()
    sign_ins = prepare()
    threading.Thread(target=announce, args=(port, sign_ins), daemon=True).start()
    sys.exit(keep_together(commands(port)))


def fail(sentence: str) -> NoReturn:
    sys.exit(sentence)


def free_port() -> int:
    """The port to serve at, which nobody else listens at."""
    asked = os.environ.get("PORT", "8000")
    if not (asked.isascii() and asked.isdecimal() and 0 < int(asked) <= PORT_MAX):
        fail(f"PORT is {asked!r}, which is not a port number.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(asked)))
        except OSError as error:
            fail(f"Port {asked} is not free ({error.strerror}): choose another with PORT=….")
    return int(asked)


def make_private_settings() -> None:
    """var/env and var/keys.json exist, readable by their owner alone, with keys that no other machine has."""
    VAR.mkdir(mode=0o700, exist_ok=True)
    keys = VAR / "keys.json"
    if not keys.exists():
        manage("new_keys", "--file", str(keys))
    settings = VAR / "env"
    if not settings.exists():
        write_private(settings, f"SECRET_KEY={secrets.token_urlsafe(64)}\nVAULT_KEYS_FILE={keys}\n")


def write_private(path: Path, text: str) -> None:
    # Whole or not at all: a key file cut short by Ctrl-C would stop every later start.
    half = path.with_suffix(".new")
    half.touch(mode=0o600)
    half.write_text(text, encoding="utf-8")
    half.rename(path)


def manage(*words: str) -> str:
    """What a management command prints; when it fails, so do we, with its words."""
    done = subprocess.run([PYTHON, "manage.py", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        fail(f"manage.py {' '.join(words)} failed.\n{done.stderr or done.stdout}")
    return done.stdout


def prepare() -> str:
    """Translations, tables and sample data are there; returns what the sample data says of itself."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        connection.ensure_connection()
    except DatabaseError as error:
        fail(f"The database at DATABASE_URL does not answer: {str(error).strip().splitlines()[0]}")
    broker_answers(settings.REDIS_URL)
    call_command("messages", "compile")
    plan = MigrationExecutor(connection)
    if plan.migration_plan(plan.loader.graph.leaf_nodes()):
        print("Making tables and sample data; this takes half a minute.", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    connection.close()
    return manage("demo")


def known(url: str) -> None:
    """Fail on a DATABASE_URL that names no database that the site runs on."""
    try:
        split = urlsplit(url)
        good = split.scheme in {"postgresql", "postgres", "sqlite"} and (split.port or 1) > 0
    except ValueError:
        good = False
    if url and not good:
        fail("DATABASE_URL is none: postgresql://user:password@host:5432/name, or sqlite:////folder/file.")


def broker_answers(url: str) -> None:
    from redis import Redis
    from redis.exceptions import RedisError

    if not url:
        return
    try:
        with Redis.from_url(url, socket_connect_timeout=5) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        fail(f"The broker at REDIS_URL does not answer: {error}")


def commands(port: int) -> dict[str, list[str]]:
    """The processes of the site: the web, and a worker that is the scheduler too."""
    web = ["gunicorn", "paymentsite.wsgi", "--preload", "--worker-class", "gthread", "--workers", "2"]
    web += ["--threads", "4", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    worker = ["celery", "--quiet", "-A", "paymentsite.celery", "worker", "--beat", "--pool", "threads"]
    worker += ["--concurrency", "4", "--loglevel", "warning", "--without-gossip", "--without-mingle"]
    return {"web": [PYTHON, "-m", *web], "worker": [PYTHON, "-m", *worker]}


def announce(port: int, sign_ins: str) -> None:
    """Say where the site is and who may sign in, once it answers."""
    while not ready(port):
        time.sleep(0.2)
    address = f"http://localhost:{port}"
    print(
        f"\npaymentsite is at {address}, its admin at {address}/admin/\n{sign_ins}Ctrl-C stops it.\n",
        flush=True,
    )


def ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def keep_together(named: dict[str, list[str]]) -> int:
    """Run all until asked to stop, or until one ends, which ends the others and is a failure."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: asked.set())
    # A session of their own, so that Ctrl-C reaches us alone, and that we can end each with all that it
    # started.
    children = {name: subprocess.Popen(words, start_new_session=True) for name, words in named.items()}
    ended: list[str] = []
    while not (asked.wait(0.2) or ended):
        ended = [name for name, child in children.items() if child.poll() is not None]
    for name in ended:
        code = children[name].returncode
        print(f"The {name} process ended by itself ({code}), so everything stops.", flush=True)
    stop(list(children.values()))
    return 0 if not ended else 1


def stop(children: list[subprocess.Popen[bytes]]) -> None:
    """None of ``children`` nor what they started runs any more; asked first, then made to."""
    for child in children:
        end(child, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=max(0, deadline - time.monotonic()))
        end(child, signal.SIGKILL)
        child.wait()


def end(child: subprocess.Popen[bytes], how: signal.Signals) -> None:
    # Gone already; macOS says of a group that is only waited for that it may not be signalled.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, how)


if __name__ == "__main__":
    main()
