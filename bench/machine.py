"""What the figures were made with, in words that name nobody's machine."""

import os
import platform
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def described() -> str:
    gigabytes = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    versions = f"Python {platform.python_version()}, Django {version('django')}, psycopg {version('psycopg')}"
    cores = f"{os.cpu_count()} cores, {gigabytes} GB of memory, {platform.system()} on {platform.machine()}"
    return f"{cores}; temporary files on {_filesystem()}; {versions}"


def commit() -> str:
    """The commit that was measured, and whether the tree has changed since."""
    try:
        head = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "paymentsite/ledger", "paymentsite/core")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}, with changes in the ledger or the kernel" if changed else head


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _filesystem() -> str:
    """The kind of file system where databases are put: on one in memory, nothing is durable and all is fast."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "an unknown file system"
    folder = Path(tempfile.gettempdir()).resolve()
    found = [line.split()[1:3] for line in mounts.read_text(encoding="utf-8").splitlines()]
    inside = [(len(where), kind) for where, kind in found if folder.is_relative_to(where)]
    return max(inside)[1] if inside else "an unknown file system"
