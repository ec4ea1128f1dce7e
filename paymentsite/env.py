"""What the environment says, read once and typed.

A secret may come as ``NAME`` or, so that it never shows in a process list, as ``NAME_FILE`` with the path of
a file that holds it.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"

env = environ.Env()
environ.Env.read_env(ROOT / ".env", overwrite=False)

SANDBOX = env.bool("SANDBOX", default=False)
if SANDBOX:
    # Made by ./script/run, so that a shell opened beside it reads the same database with the same keys. Never
    # read in production: there nothing may come from a file that a script left behind.
    environ.Env.read_env(VAR / "env", overwrite=False)


def secret(name: str, default: str = "") -> str:
    """The secret ``name``: from ``NAME_FILE`` when that is set, else from ``NAME``, else ``default``."""
    path = env.str(f"{name}_FILE", default="")
    if not path:
        return str(env.str(name, default=default))
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error.strerror}") from error
