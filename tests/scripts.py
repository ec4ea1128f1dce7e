"""Running the repository's scripts as somebody at a terminal would."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHELL = shutil.which("sh") or "/bin/sh"


def environment(**own: str) -> dict[str, str]:
    """A login's environment, without what this test run itself was started with."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_FIND_LINKS", "SSL_CERT_FILE")
    return {name: os.environ[name] for name in kept if name in os.environ} | own


def run(folder: Path, *words: str, **own: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*words], cwd=folder, env=environment(**own), capture_output=True, text=True, check=False, timeout=300
    )
