"""Key documents, where they come from, and what is said of bad ones."""

import base64
import json
import os
import pickle
import time
from io import StringIO

import pytest
from django.core.management import call_command

from paymentsite.core import vault
from paymentsite.core.vault import KeysUnavailable, Purpose, Secret, document, keyring, loading, renewal
from paymentsite.core.vault.errors import UnusableKeysError
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


def content():
    return json.loads(document.write(renewal.fresh(), WRITE))


def problems_of(found):
    text = found if isinstance(found, str) else json.dumps(found)
    with pytest.raises(UnusableKeysError) as caught:
        document.read(text, READ)
    return caught.value.problems


def current_id(purpose):
    return loading.keys().ring(purpose).current.id


@pytest.mark.parametrize(
    "text",
    ["{", "", "[" * 100_000, '{"version": 1, "version": 1}', '{"data": {"current": "a", "current": "b"}}'],
)
def test_document_that_is_not_strict_json_is_refused(text):
    assert problems_of(text) == ["The key document is not JSON, or names something twice."]


@pytest.mark.parametrize("found", [[], 1, {}, {"version": 2}, {"version": "1"}, {"version": True}, None])
def test_document_of_another_version_is_refused(found):
    assert problems_of(found) == ["The key document is not of version 1."]


def test_document_with_unknown_fields_is_refused():
    assert problems_of({**content(), "cards": {}}) == ["The key document has fields that are not known."]


def test_document_names_every_purpose_that_is_missing():
    assert problems_of({"version": 1}) == [f"There is no {purpose} key." for purpose in Purpose]


@pytest.mark.parametrize(
    "ring",
    [
        [],
        "key",
        {"keys": {}},
        {"current": "a"},
        {"current": "a", "keys": []},
        {"current": "a", "keys": {}},
        {"current": None, "keys": {}},
        {"current": ["a"], "keys": {"a": ""}},
        {"current": "a", "keys": {"a": ""}, "previous": {}},
        {"current": "a", "keys": {"a": ""}, "public": {}},
    ],
)
def test_ring_of_another_shape_is_refused(ring):
    assert problems_of({**content(), "data": ring}) == [
        "The data keys need a current one that is among their keys, and nothing else."
    ]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("not base64", "The data key a cannot be unwrapped."),
        ("", "The data key a cannot be unwrapped."),
        (document.plain(bytes(range(32))).rstrip("="), "The data key a cannot be unwrapped."),
        (document.plain(bytes(range(32))) + "\n", "The data key a cannot be unwrapped."),
        ("é", "The data key a cannot be unwrapped."),
        (None, "The data key a is not 32 bytes long."),
        ([1], "The data key a is not 32 bytes long."),
        (document.plain(bytes(range(31))), "The data key a is not 32 bytes long."),
        (document.plain(bytes(range(33))), "The data key a is not 32 bytes long."),
        (document.plain(bytes(32)), "The data key a is not random."),
        (document.plain(b"password" * 4), "The data key a is not random."),
    ],
)
def test_key_that_is_none_is_refused(key, problem):
    assert problems_of({**content(), "data": {"current": "a", "keys": {"a": key}}}) == [problem]


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a" * 33, "a\n", "ａ", "a.b"])
def test_key_id_outside_the_alphabet_is_refused(name):
    key = document.plain(bytes(range(32)))

    assert problems_of({**content(), "data": {"current": name, "keys": {name: key}}}) == [
        "A data key has an id that is not up to 32 of a-z, 0-9 and hyphens."
    ]


def test_key_that_serves_two_purposes_is_refused():
    found = content()
    found["digest"] = {"current": "other", "keys": {"other": next(iter(found["data"]["keys"].values()))}}

    assert problems_of(found) == [f"The keys {found['data']['current']} and other are the same key."]


def test_key_id_used_twice_is_refused():
    found = content()
    found["digest"] = {
        "current": found["data"]["current"],
        "keys": {found["data"]["current"]: document.plain(os.urandom(32))},
    }

    assert problems_of(found) == [f"The key id {found['data']['current']} is used twice."]


@pytest.mark.parametrize(
    "public",
    [[], "a", {"A": document.plain(bytes(32))}, {"a": "x"}, {"a": None}, {"a": document.plain(bytes(31))}],
)
def test_retired_key_that_is_none_is_refused(public):
    found = content()
    found["signing"]["public"] = public

    assert problems_of(found) == ["The retired signing keys are not ids with the base64 of 32 bytes."]


@pytest.mark.attack
def test_no_problem_quotes_a_key():
    found = content()
    key = next(iter(found["data"]["keys"].values()))
    found["pepper"]["keys"] = {found["pepper"]["current"]: key, "short": key[:-4], "cut": key[:-1]}
    said = " ".join(problems_of(found))

    assert key[:8] not in said
    assert base64.b64decode(key).hex()[:8] not in said


def test_document_is_read_back_as_written():
    keys = renewal.added(renewal.fresh(), Purpose.SIGNING, standby=False)
    old = next(iter(keys.ring(Purpose.SIGNING).others))
    keys = renewal.removed(renewal.added(keys, Purpose.DATA, standby=True), old)

    assert document.read(document.write(keys, WRITE), READ) == keys
    assert set(keys.retired) == {old}


def test_keys_show_and_write_down_nothing():
    key = keyring.fresh(Purpose.DATA)

    assert str(key.material) not in repr(renewal.fresh())
    assert "material" not in repr(key)
    with pytest.raises(TypeError, match="never written down"):
        pickle.dumps(key)


def test_without_keys_a_sandbox_has_development_keys_and_says_so():
    assert vault.problems() == [
        f"The {purpose} key dev-{purpose} is a development key, known to everybody." for purpose in Purpose
    ]
    assert current_id(Purpose.DATA) == "dev-data"


def test_without_keys_production_has_a_problem_and_no_vault(settings):
    settings.PRODUCTION = True

    assert vault.problems() == ["There are no keys: set VAULT_KEYS_FILE or VAULT_KEYS, see `manage.py new_keys`."]
    with pytest.raises(KeysUnavailable):
        vault.sign(b"")


def test_development_key_under_another_name_is_still_one(monkeypatch):
    found = content()
    known = document.plain(keyring.development().ring(Purpose.DATA).current.material)
    found["data"]["keys"]["production-1"] = known
    monkeypatch.setenv("VAULT_KEYS", json.dumps(found))

    assert vault.problems() == ["The data key production-1 is a development key, known to everybody."]


def test_file_that_cannot_be_read_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setenv("VAULT_KEYS_FILE", str(tmp_path / "none"))
    missing = vault.problems()
    with pytest.raises(KeysUnavailable):
        vault.unlock()
    (tmp_path / "none").write_bytes(b"\xff\xfe")
    binary = vault.problems()
    (tmp_path / "none").write_text("\n")

    assert missing == [f"VAULT_KEYS_FILE names {tmp_path / 'none'}, which cannot be read: No such file or directory."]
    assert binary == ["VAULT_KEYS_FILE names a file that is not text."]
    assert vault.problems() == ["VAULT_KEYS_FILE names an empty file."]


def test_unknown_provider_is_a_problem(settings):
    settings.VAULT_PROVIDER = "keychain"

    assert vault.problems() == ["VAULT_PROVIDER is none of environment, hashicorp, aws_kms."]
    with pytest.raises(KeysUnavailable):
        vault.unlock()


def test_fresh_keys_have_no_problem(monkeypatch, keyfile):
    assert vault.problems() == []
    monkeypatch.delenv("VAULT_KEYS_FILE")
    monkeypatch.setenv("VAULT_KEYS", command())

    assert vault.problems() == []
    assert current_id(Purpose.DATA).startswith("data-")


def test_key_made_elsewhere_is_read_without_a_restart(keyfile):
    vault.unlock()
    before = keyfile.read_text()
    command(file=keyfile, add=Purpose.DATA)
    vault.reload()
    new = vault.encrypt(Secret("4111"), label="card", bound_to=(1,))
    after = keyfile.read_text()
    keyfile.write_text(before)
    vault.reload()
    vault.unlock()

    keyfile.write_text(after)
    assert vault.decrypt(new, label="card", bound_to=(1,)).reveal() == "4111"


def test_current_key_changed_in_the_file_is_used_within_a_second(keyfile):
    vault.unlock()
    before = current_id(Purpose.DATA)
    command(file=keyfile, add=Purpose.DATA)
    time.sleep(loading.LOOK_AGAIN_SECONDS)

    assert current_id(Purpose.DATA) != before


def test_file_damaged_later_leaves_the_keys_in_force(keyfile, monkeypatch):
    monkeypatch.setattr(loading, "LOOK_AGAIN_SECONDS", -1)
    before = current_id(Purpose.DATA)
    whole = keyfile.read_text()

    for damage in (whole[:-20], "", "{}"):
        keyfile.write_text(damage)
        assert current_id(Purpose.DATA) == before
        assert vault.problems() != []
    keyfile.unlink()
    assert current_id(Purpose.DATA) == before
    keyfile.write_text(whole)
    assert current_id(Purpose.DATA) == before
