"""What is measured is measured, the processes that it starts too, and nothing else is."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = """
def seen():
    return "seen"

def seen_elsewhere():
    return "seen"

def unseen():
    return "unseen"

def unseen_elsewhere():
    return "unseen"
"""
TEST = """
import subprocess, sys, coverage, work

def test_first():
    assert (coverage.Coverage.current() is not None) == ("{name}" == "seen")
    work.{name}()

def test_second():
    subprocess.run([sys.executable, "-c", "import work; work.{name}_elsewhere()"], check=True)
"""
CONFTEST = """
import pathlib, pytest
from tests import measuring

def pytest_collection_finish(session):
    global switch
    switch = measuring.Switch([pathlib.Path(__file__).parent / "test_b.py"])

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    switch.turn(item.path)
"""


def test_some_are_measured_and_the_others_not(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / ".coveragerc").write_text("[run]\nsource = .\nparallel = true\npatch = subprocess\n")
    for file, name in {"test_a.py": "unseen", "test_b.py": "seen", "test_c.py": "unseen"}.items():
        (tmp_path / file).write_text(TEST.format(name=name))
    plugins = ["-p", "xdist.plugin", "-p", "pytest_cov.plugin", "-p", "no:cacheprovider"]
    words = [*plugins, "-q", "-n1", "--import-mode=importlib", "--cov", "--cov-report=json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    environment |= {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "."],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "6 passed" in done.stdout) == (0, True), done.stdout
    functions = json.loads((tmp_path / "coverage.json").read_text())["files"]["work.py"]["functions"]
    assert {name: bool(function["executed_lines"]) for name, function in functions.items() if name} == {
        "seen": True,
        "seen_elsewhere": True,
        "unseen": False,
        "unseen_elsewhere": False,
    }
