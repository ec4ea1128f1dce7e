"""What deploy/ shows is true: its settings exist, and its commands start this code."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from paymentsite.core import checks

ROOT = Path(__file__).resolve().parent.parent
UNITS = sorted((ROOT / "deploy").glob("*.service"))
ASKED = re.compile(r"""(?:env(?:\.\w+)?|secret)\(\s*["']([A-Z_]+)["']""")


def test_every_setting_of_the_example_is_one_that_the_code_asks_for():
    asked = set(ASKED.findall("".join(path.read_text() for path in (ROOT / "paymentsite").rglob("*.py"))))
    shown = re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / "env.example").read_text(), re.MULTILINE)

    assert shown
    assert {name for name in shown if name.removesuffix("_FILE") not in asked} == set()


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_unit_starts_this_code_and_gives_up_on_unsafe_settings(unit, tmp_path):
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read(unit)
    program, *words = shlex.split(parsed["Service"]["ExecStart"])
    assert program.startswith("/opt/paymentsite/.venv/bin/")
    words = [
        word.replace("/run/paymentsite", str(tmp_path)).replace("/var/lib/paymentsite", str(tmp_path)) for word in words
    ]

    done = subprocess.run(
        [sys.executable, "-m", Path(program).name, *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "ALLOWED_HOSTS": "*", "DATABASE_URL": f"sqlite:///{tmp_path / 'db'}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "Refusing to start: ALLOWED_HOSTS lets any name in." in done.stderr
    assert done.returncode == checks.REFUSED == int(parsed["Service"]["RestartPreventExitStatus"])
