"""Keys wrapped by AWS KMS: ``VAULT_KEYS`` or ``VAULT_KEYS_FILE`` has the document, useless without KMS.

``VAULT_KMS_KEY`` names the KMS key; region and credentials come the way that boto3 always finds them.
"""

import logging
from typing import Any, Final

from paymentsite.core.vault import document
from paymentsite.core.vault.errors import UnusableKeysError
from paymentsite.core.vault.keyring import Key, Purpose
from paymentsite.core.vault.providers.environment import Environment
from paymentsite.env import env

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    raise UnusableKeysError(
        "VAULT_PROVIDER=aws_kms needs the package boto3: pip install -r requirements-vault.txt."
    ) from None

# At DEBUG it logs what KMS answers, which is the keys.
logging.getLogger("botocore").setLevel(logging.WARNING)

QUICK: Final = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 2})
# What KMS answers to a text that it did not make, or made for another purpose or key id.
NOT_ITS_OWN: Final = {"InvalidCiphertextException", "IncorrectKeyException", "ValidationException"}


class AwsKms(Environment):
    """The encryption context is each key's purpose and id: wrapped keys cannot be swapped, and are logged."""

    def wrap(self, key: Key, purpose: Purpose) -> str:
        answer = _asked("encrypt", Plaintext=key.material, EncryptionContext=_context(purpose, key.id))
        return document.plain(answer["CiphertextBlob"])

    def unwrap(self, text: str, purpose: Purpose, key_id: str) -> bytes:
        blob = document.from_plain(text)
        answer = _asked("decrypt", CiphertextBlob=blob, EncryptionContext=_context(purpose, key_id))
        return bytes(answer["Plaintext"])


def _context(purpose: Purpose, key_id: str) -> dict[str, str]:
    return {"purpose": str(purpose), "key": key_id}


def _asked(act: str, **question: Any) -> Any:
    name = env.str("VAULT_KMS_KEY", default="")
    if not name:
        raise UnusableKeysError("VAULT_PROVIDER=aws_kms needs VAULT_KMS_KEY, the id, alias or ARN of a KMS key.")
    try:
        # A session of its own: the shared one keeps credentials that may have been replaced since.
        return getattr(boto3.Session().client("kms", config=QUICK), act)(KeyId=name, **question)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in NOT_ITS_OWN:
            raise ValueError("not wrapped by this KMS key") from None
        raise UnusableKeysError(f"AWS KMS refused: {code}.") from None
    except (BotoCoreError, ValueError) as error:
        raise UnusableKeysError(f"AWS KMS cannot be asked: {type(error).__name__}.") from None
