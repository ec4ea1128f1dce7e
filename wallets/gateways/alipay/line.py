"""One question to Alipay over its package, and what may come of it.

The package signs what is asked and verifies what is answered. What it leaves to us: the time of Beijing, a time-out,
and telling whether something may have been done when there is no answer.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError

from cryptography import x509
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault.secret import Secret
from wallets.gateways.base import Answer
from wallets.gateways.network import UNREADABLE, failed, nothing_sent, refused, unknown

try:
    import alipay as package
    from alipay.exceptions import AliPayException, AliPayValidationError
except ImportError:
    raise ImproperlyConfigured(
        "The gateway alipay needs the package python-alipay-sdk: pip install -r requirements-gateways.txt."
    ) from None

# Importing it sets up a log of its own, which would write past the one that hides secrets.
_log: Final = logging.getLogger("python-alipay-sdk")
_log.handlers.clear()
_log.setLevel(logging.WARNING)

BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
SECONDS: Final = 10
RSA_OIDS: Final = "1.2.840.113549.1.1."

Json = dict[str, Any]


class Line:
    """With certificates Alipay also lets us pay out; with keys alone it does not."""

    def __init__(
        self,
        *,
        app_id: str,
        private_key: Secret,
        public_key: str,
        certificates: tuple[str, str, str] | None,
        url: str,
        seconds: float,
    ) -> None:
        try:
            if certificates:
                app, theirs, root = (pem(one, "CERTIFICATE") for one in certificates)
                self._sdk = package.DCAliPay(
                    appid=app_id,
                    app_private_key_string=pem(private_key.reveal(), "PRIVATE KEY"),
                    app_public_key_cert_string=app,
                    alipay_public_key_cert_string=theirs,
                    alipay_root_cert_string=root,
                )
                # Its own way to these goes through what pyOpenSSL is about to take away.
                self._sdk._app_cert_sn = fingerprints(app)  # noqa: SLF001 - as below
                self._sdk._alipay_root_cert_sn = fingerprints(root)  # noqa: SLF001 - as below
            else:
                self._sdk = package.AliPay(
                    appid=app_id,
                    app_private_key_string=pem(private_key.reveal(), "PRIVATE KEY"),
                    alipay_public_key_string=pem(public_key, "PUBLIC KEY"),
                )
        except Exception as error:  # noqa: BLE001 - libraries below it raise their own kinds, with the key in some
            raise ImproperlyConfigured(
                f"ALIPAY_PRIVATE_KEY, or Alipay's key or certificates, cannot be read: {type(error).__name__}."
            ) from None
        self._sdk._config.timeout = seconds  # noqa: SLF001 - the certificates' class takes no such argument
        self._sdk._gateway = self._url = url  # noqa: SLF001 - the package knows two addresses by itself

    def page(self, method: str, content: Json, **parameters: str) -> str:
        """The address that a browser is sent to: the request itself, signed."""
        return f"{self._url}?{self._sdk.client_api(method, content, timestamp=in_beijing(), **parameters)}"

    def ask(self, method: str, content: Json, **parameters: str) -> Json:
        """Alipay's answer, verified. What it raises, ``done`` understands."""
        return dict(self._sdk.server_api(method, content, timestamp=in_beijing(), **parameters))

    def signed(self, parameters: Mapping[str, str], signature: str) -> bool:
        """Whether Alipay signed ``parameters``."""
        try:
            # A copy: the package takes from what it is given.
            return bool(self._sdk.verify(dict(parameters), signature))
        except (AliPayException, *UNREADABLE):
            return False


def done(act: Callable[[], Answer], *, asking: bool = False) -> Answer:  # noqa: PLR0911 - one line for each end
    """What ``act`` answers; what it raises says whether Alipay may have done something."""
    try:
        return act()
    except AliPayValidationError:
        return unknown("wrong_signature")
    except AliPayException:
        # An answer without a signature: that something was refused would have to be believed.
        return unknown("unsigned")
    except HTTPError as error:
        error.close()
        reason = f"http_{error.code}"
        return failed(reason) if refused(error.code) and not asking else unknown(reason)
    except URLError as error:
        return failed("not_reached") if nothing_sent(error) and not asking else unknown("no_answer")
    except (OSError, HTTPException):
        return unknown("no_answer")
    except UNREADABLE:
        return unknown("unreadable")


def pem(text: str, label: str) -> str:
    """``text`` in its frame: Alipay hands out keys as bare base64, and an environment may carry ``\\n`` for a line."""
    text = text.replace("\\n", "\n").strip()
    return text if text.startswith("-----") else f"-----BEGIN {label}-----\n{text}\n-----END {label}-----"


def fingerprints(certificates: str) -> str:
    """What Alipay calls the serial number of ``certificates``: of each that is signed with RSA, in their order."""
    found = x509.load_pem_x509_certificates(certificates.encode())
    return "_".join(
        hashlib.md5(f"{one.issuer.rfc4514_string()}{one.serial_number}".encode(), usedforsecurity=False).hexdigest()
        for one in found
        if one.signature_algorithm_oid.dotted_string.startswith(RSA_OIDS)
    )


def in_beijing(after: timedelta = timedelta()) -> str:
    """The time there, ``after`` from now: the real one, whatever the sandbox clock says, since Alipay compares it."""
    return (datetime.now(BEIJING) + after).strftime("%Y-%m-%d %H:%M:%S")
