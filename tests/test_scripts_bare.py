"""The two commands where nothing is installed: what they miss they say in a sentence, and make nothing."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.scripts import ROOT, SHELL, run

pytestmark = pytest.mark.xdist_group("scripts")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The scripts alone, where nothing is installed and nothing may be."""
    shutil.copytree(ROOT / "script", tmp_path / "tree" / "script")
    for lock in ROOT.glob("requirements*.lock"):
        shutil.copy(lock, tmp_path / "tree")
    return tmp_path / "tree"


def stub(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def path_of_stubs(folder: Path, **stubs: str) -> str:
    """A PATH with the stubs and the few tools that the scripts themselves use, and no other Python."""
    for name in ("sh", "dirname", "cmp", "cp", "rm"):
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin" / name).symlink_to(shutil.which(name) or name)
    for name, script in stubs.items():
        stub(folder / "bin", name.replace("_", "."), script)
    return str(folder / "bin")


# The old one fails at anything it is asked to run, as far as we are concerned.
OLD = 'case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac'
WITHOUT_VENV = f'case "$2" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac'


@pytest.mark.parametrize("script", ["run", "test"])
def test_old_python_is_refused_with_a_sentence(bare, tmp_path, script):
    done = run(bare, SHELL, f"script/{script}", PATH=path_of_stubs(tmp_path, python3=OLD))

    assert done.returncode == 1
    assert done.stderr == "Python 3.11 or newer is needed; here is Python 3.9.2.\n"
    assert not (bare / ".venv").exists()


@pytest.mark.parametrize(("word", "code"), [("-h", 0), ("--help", 0), ("8000", 2)])
def test_run_says_how_it_is_used_and_makes_nothing(bare, word, code):
    done = run(bare, SHELL, "script/run", word)

    assert done.returncode == code
    assert done.stdout.startswith("usage: ./script/run ")
    assert not (bare / ".venv").exists()


def test_absent_python_is_refused_with_a_sentence(bare, tmp_path):
    done = run(bare, SHELL, "script/run", PATH=path_of_stubs(tmp_path))

    assert done.returncode == 1
    assert done.stderr.endswith("Python 3.11 or newer is needed; here is none.\n")


@pytest.mark.parametrize("script", ["run", "test"])
def test_absent_venv_module_is_refused_with_a_sentence(bare, tmp_path, script):
    done = run(bare, SHELL, f"script/{script}", PATH=path_of_stubs(tmp_path, python3=WITHOUT_VENV))

    assert done.returncode == 1
    assert done.stderr == (
        "python3 has no venv module: install python3-venv (Debian, Ubuntu: apt install python3-venv).\n"
    )
    assert not (bare / ".venv").exists()


def test_python_with_venv_is_preferred_to_a_newer_one_without(bare, tmp_path):
    """A control of the two tests above: beside both, a good Python is found and gets as far as making .venv."""
    good = f'exec {sys.executable} "$@"'
    path = path_of_stubs(tmp_path, python3=OLD, python3_13=WITHOUT_VENV, python3_12=good)
    (bare / "requirements.lock").write_text("")
    done = run(bare, SHELL, "script/install", PATH=path)

    assert (done.returncode, done.stderr) == (0, "")
    assert (bare / ".venv" / "bin" / "python").exists()
