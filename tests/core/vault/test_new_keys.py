"""Making keys and changing a set of them."""

import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from paymentsite.core import vault
from paymentsite.core.vault import Purpose, Secret, loading
from paymentsite.core.vault.providers.environment import Environment

READ = Environment().unwrap
WRITE = Environment().wrap


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    monkeypatch.delenv("VAULT_KEYS", raising=False)
    monkeypatch.delenv("VAULT_KEYS_FILE", raising=False)
    vault.reload()
    yield
    vault.reload()


@pytest.fixture
def keyfile(tmp_path, monkeypatch):
    path = tmp_path / "keys.json"
    command(file=path)
    monkeypatch.setenv("VAULT_KEYS_FILE", str(path))
    return path


def command(**options):
    out = StringIO()
    call_command("new_keys", stdout=out, **options)
    return out.getvalue()


def current_id(purpose):
    return loading.keys().ring(purpose).current.id


def test_new_keys_are_written_for_their_owner_alone(keyfile):
    assert stat.S_IMODE(keyfile.stat().st_mode) == 0o600
    assert [path.name for path in keyfile.parent.iterdir()] == ["keys.json"]


def test_new_keys_never_replace_a_file(keyfile):
    before = keyfile.read_text()

    with pytest.raises(CommandError, match="exists: say what to change"):
        command(file=keyfile)
    assert keyfile.read_text() == before


@pytest.mark.parametrize("damage", [b"{}", b"\xff"])
def test_new_keys_refuse_a_file_that_is_no_document(keyfile, damage):
    keyfile.write_bytes(damage)

    with pytest.raises(CommandError):
        command(file=keyfile, add=Purpose.DATA)
    assert keyfile.read_bytes() == damage


def test_new_keys_refuse_to_change_what_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        command(file=tmp_path / "none", add=Purpose.DATA)


@pytest.mark.parametrize("act", ["promote", "remove"])
def test_new_keys_refuse_an_unknown_key(keyfile, act):
    with pytest.raises(CommandError, match="There is no key none"):
        command(file=keyfile, **{act: "none"})


def test_new_keys_refuse_to_remove_the_current_key(keyfile):
    with pytest.raises(CommandError, match="is the current data key: promote another one first"):
        command(file=keyfile, remove=current_id(Purpose.DATA))


def test_key_on_standby_is_known_and_becomes_current_when_promoted(keyfile):
    before = current_id(Purpose.PEPPER)
    command(file=keyfile, add=Purpose.PEPPER, standby=True)
    vault.reload()
    (standby,) = loading.keys().ring(Purpose.PEPPER).others
    assert current_id(Purpose.PEPPER) == before

    for _ in "twice":
        command(file=keyfile, promote=standby)
        vault.reload()
        assert current_id(Purpose.PEPPER) == standby
        assert set(loading.keys().ring(Purpose.PEPPER).others) == {before}


def test_set_in_force_is_printed_changed_without_a_file(monkeypatch):
    monkeypatch.setenv("VAULT_KEYS", command())
    before = current_id(Purpose.DIGEST)
    monkeypatch.setenv("VAULT_KEYS", command(add=Purpose.DIGEST))
    vault.reload()

    assert [key.id for key in loading.keys().ring(Purpose.DIGEST)][1:] == [before]


def test_digest_is_looked_for_under_every_key_the_current_first(keyfile):
    old = vault.digest(Secret("4111"), label="card")
    command(file=keyfile, add=Purpose.DIGEST)
    vault.reload()

    assert vault.digests(Secret("4111"), label="card") == (vault.digest(Secret("4111"), label="card"), old)


def test_pin_under_an_old_pepper_matches_and_is_outdated(keyfile):
    stored = vault.hash_pin(Secret("1234"), label="pin", bound_to=(1,))
    command(file=keyfile, add=Purpose.PEPPER)
    vault.reload()

    assert vault.verify_pin(Secret("1234"), stored, label="pin", bound_to=(1,)) == vault.PinCheck(
        matches=True, outdated=True
    )


@pytest.mark.django_db
def test_signature_outlives_its_private_key(keyfile):
    signed = vault.sign(b"block 1")
    command(file=keyfile, add=Purpose.SIGNING)
    vault.reload()
    assert vault.verify(b"block 1", *signed)
    command(file=keyfile, remove=signed.key_id)
    vault.reload()

    assert vault.verify(b"block 1", *signed)
    assert set(vault.public_keys()) == {signed.key_id, vault.sign(b"").key_id}
    assert signed.key_id not in json.loads(Path(keyfile).read_text())["signing"]["keys"]
