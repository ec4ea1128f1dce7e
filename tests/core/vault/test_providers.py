"""The adapters, through their real client libraries, against small servers that speak the same protocols."""

import base64
import json
import logging
import os
import sys
from io import StringIO

import pytest
from django.core.management import call_command

from paymentsite.core import vault
from paymentsite.core.vault import KeysUnavailable, Purpose, Secret, keyring, loading
from tests.core.vault.servers import TOKEN, Kms, MasterKey, Transit


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    for name in ("VAULT_KEYS", "VAULT_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)
    vault.reload()
    yield
    vault.reload()


@pytest.fixture
def transit(settings, monkeypatch):
    settings.VAULT_PROVIDER = "hashicorp"
    with Transit() as server:
        monkeypatch.setenv("VAULT_ADDR", server.url)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        server.document = json.loads(new_keys())
        yield server


@pytest.fixture
def kms(settings, monkeypatch):
    settings.VAULT_PROVIDER = "aws_kms"
    with Kms() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", server.url)
        for nobodys in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(nobodys, os.devnull)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        monkeypatch.setenv("VAULT_KMS_KEY", "alias/paymentsite")
        monkeypatch.setenv("VAULT_KEYS", new_keys())
        yield server


@pytest.fixture(params=["transit", "kms"])
def service(request):
    return request.getfixturevalue(request.param)


def new_keys(**options):
    out = StringIO()
    call_command("new_keys", stdout=out, **options)
    return out.getvalue()


def test_keys_come_unwrapped_and_work(service):
    envelope = vault.encrypt(Secret("4111"), label="card", bound_to=(1,))

    assert vault.problems() == []
    assert envelope.key_id.startswith("data-")
    assert vault.decrypt(envelope, label="card", bound_to=(1,)).reveal() == "4111"


def test_document_of_wrapped_keys_has_no_key_in_it(service):
    written = new_keys(add=Purpose.DATA)
    material = [key.material for ring in loading.load(loading.provider()).rings.values() for key in ring]

    assert len(material) == 4
    assert not any(base64.b64encode(each).decode()[:20] in written for each in material)


def test_nothing_is_asked_once_the_keys_are_loaded(service):
    vault.unlock()
    asked = len(service.requests)
    for _ in range(50):
        vault.decrypt(vault.encrypt(Secret("4111"), label="card", bound_to=(1,)), label="card", bound_to=(1,))

    assert asked >= 4
    assert len(service.requests) == asked


@pytest.mark.attack
@pytest.mark.parametrize(("purpose", "key_id"), [(Purpose.DIGEST, "a"), (Purpose.DATA, "b")])
def test_wrapped_key_moved_to_another_purpose_or_id_is_refused(service, purpose, key_id):
    provider = loading.provider()
    key = keyring.fresh(Purpose.DATA, key_id="a")
    wrapped = provider.wrap(key, Purpose.DATA)

    assert provider.unwrap(wrapped, Purpose.DATA, "a") == key.material
    with pytest.raises(ValueError, match="not wrapped by"):
        provider.unwrap(wrapped, purpose, key_id)


def test_key_wrapped_elsewhere_is_a_problem_by_name(service):
    current = vault.encrypt(Secret("4111"), label="card", bound_to=(1,)).key_id
    service.master = MasterKey()

    assert f"The data key {current} cannot be unwrapped." in vault.problems()


def test_hashicorp_token_that_is_refused_is_a_problem(transit, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", "hvs.other")

    assert vault.problems() == ["HashiCorp Vault refused: Forbidden."]
    with pytest.raises(KeysUnavailable):
        vault.unlock()


def test_hashicorp_token_may_come_from_a_file(transit, monkeypatch, tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("VAULT_TOKEN_FILE", str(tmp_path / "token"))

    assert vault.problems() == []


def test_hashicorp_without_a_document_has_no_keys(transit, settings):
    transit.document = None
    settings.PRODUCTION = True

    assert vault.problems() == ["There are no keys: set VAULT_KEYS_FILE or VAULT_KEYS, see `manage.py new_keys`."]


def test_hashicorp_that_is_sealed_or_gone_is_a_problem(transit, monkeypatch):
    transit.broken = (503, {"errors": ["Vault is sealed"]})
    sealed = vault.problems()
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")

    assert sealed == ["HashiCorp Vault refused: VaultDown."]
    assert vault.problems() == ["HashiCorp Vault at VAULT_ADDR does not answer."]


def test_hashicorp_keys_stay_in_force_when_it_is_gone_later(transit, monkeypatch):
    vault.unlock()
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")

    assert vault.verify(b"block", *vault.sign(b"block"))
    assert loading.key(Purpose.DATA, "unknown") is None


def test_kms_without_its_key_named_is_a_problem(kms, monkeypatch):
    monkeypatch.delenv("VAULT_KMS_KEY")

    assert vault.problems() == ["VAULT_PROVIDER=aws_kms needs VAULT_KMS_KEY, the id, alias or ARN of a KMS key."]


def test_kms_key_that_is_not_there_is_a_problem(kms, monkeypatch):
    monkeypatch.setenv("VAULT_KMS_KEY", "alias/other")

    assert vault.problems() == ["AWS KMS refused: NotFoundException."]


def test_kms_without_credentials_or_answer_is_a_problem(kms, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
    gone = vault.problems()
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "nonsense")
    nowhere = vault.problems()
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", kms.url)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    assert gone == ["AWS KMS cannot be asked: EndpointConnectionError."]
    assert nowhere == ["AWS KMS cannot be asked: ValueError."]
    assert vault.problems() == ["AWS KMS cannot be asked: NoCredentialsError."]


@pytest.mark.attack
def test_no_key_is_logged_even_at_debug(service, caplog):
    with caplog.at_level(logging.DEBUG):
        vault.unlock()
    keys = [key.material for ring in loading.keys().rings.values() for key in ring]

    assert caplog.records
    assert not any(base64.b64encode(key).decode()[:20] in caplog.text for key in keys)
    assert not any(str(key)[2:20] in caplog.text for key in keys)


def test_kms_document_without_kms_is_useless(kms, settings):
    settings.VAULT_PROVIDER = "environment"

    assert all("is not 32 bytes long" in problem for problem in vault.problems())
    with pytest.raises(KeysUnavailable):
        vault.unlock()


@pytest.mark.parametrize(("provider", "package"), [("hashicorp", "hvac"), ("aws_kms", "boto3")])
def test_missing_package_is_a_problem_that_names_it(settings, monkeypatch, provider, package):
    settings.VAULT_PROVIDER = provider
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"paymentsite.core.vault.providers.{provider}", raising=False)

    assert vault.problems() == [
        f"VAULT_PROVIDER={provider} needs the package {package}: pip install -r requirements-vault.txt."
    ]
