"""WeChat Pay's package, with what it leaves out; see docs/decisions/152.

It signs what is asked and verifies what is answered and told. It does not look at the age of what is signed, forgets
its certificates while it fetches new ones, fetches for whoever names an unknown one, and knows one address.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault.secret import Secret
from wallets.gateways.base import Answer
from wallets.gateways.network import failed, nothing_sent, unknown

try:
    from requests.exceptions import ConnectTimeout, RequestException
    from urllib3.exceptions import NewConnectionError
    from wechatpayv3 import WeChatPay as Package
    from wechatpayv3 import WeChatPayType
    from wechatpayv3.core import Core
    from wechatpayv3.utils import load_private_key, load_public_key
except ImportError:
    raise ImproperlyConfigured(
        "The gateway wechatpay needs the package wechatpayv3: pip install -r requirements-gateways.txt."
    ) from None

AGE_MAX_SECONDS: Final = 300
# How often an unknown certificate makes us ask for new ones: anybody can name one in a notification.
RENEWED_SECONDS: Final = 60
KEY_LENGTH: Final = 32


class Connection(Core):  # type: ignore[misc]  # the package has no types
    """The package's connection to one address, careful with what is signed."""

    def __init__(self, url: str, **options: Any) -> None:
        self._url = url
        self._renewing = threading.Lock()
        self._renewed_at = -float(RENEWED_SECONDS)
        super().__init__(**options)

    @property
    def _gate_way(self) -> str:
        return self._url

    @_gate_way.setter
    def _gate_way(self, _theirs: str) -> None:
        """Its own address, which it sets and does not let us choose."""

    def _verify_signature(self, headers: Mapping[str, str], body: str) -> bool:
        sent_at = str(headers.get("Wechatpay-Timestamp", ""))
        if not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > AGE_MAX_SECONDS:
            return False
        return bool(super()._verify_signature(headers, body))

    def _update_certificates(self) -> None:
        with self._renewing:
            now = time.monotonic()
            if now - self._renewed_at < RENEWED_SECONDS:
                return
            self._renewed_at = now
            before = list(self._certificates)
            try:
                super()._update_certificates()
            finally:
                if not self._certificates:
                    self._certificates.extend(before)


class Client(Package):  # type: ignore[misc]  # as above
    """The package's client over our connection, which its own constructor does not let in."""

    def __init__(self, connection: Connection, *, mchid: str, appid: str) -> None:
        self._core = connection
        self._mchid, self._appid = mchid, appid
        self._type = WeChatPayType.NATIVE
        self._notify_url = None
        self._partner_mode = False


class Line:
    """The client, made when it is first needed: without WeChat Pay's public key it begins by fetching certificates."""

    def __init__(
        self,
        *,
        mchid: str,
        appid: str,
        private_key: Secret,
        cert_serial: str,
        apiv3_key: Secret,
        public_key: str,
        public_key_id: str,
        url: str,
        timeouts: tuple[float, float],
    ) -> None:
        if bool(public_key) != bool(public_key_id):
            raise ImproperlyConfigured("WECHATPAY_PUBLIC_KEY and WECHATPAY_PUBLIC_KEY_ID go together.")
        if len(apiv3_key.reveal().encode()) != KEY_LENGTH:
            raise ImproperlyConfigured("WECHATPAY_APIV3_KEY is 32 characters long.")
        self._making = threading.Lock()
        self._client: Client | None = None
        self._options: dict[str, Any] = {
            "url": url,
            "mchid": mchid,
            "cert_serial_no": cert_serial,
            "private_key": private_key,
            "apiv3_key": apiv3_key,
            "public_key": pem(public_key) or None,
            "public_key_id": public_key_id or None,
            "timeout": timeouts,
        }
        self._appid = appid
        _readable(private_key, public_key)
        if public_key:
            _ = self.client

    @property
    def client(self) -> Client:
        """Raises ``NotReadyError`` where WeChat Pay's certificates cannot be had; then nothing of ours was asked."""
        with self._making:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> Client:
        plain = {name: _plain(value) for name, value in self._options.items()}
        try:
            connection = Connection(**plain)
        except Exception as error:  # noqa: BLE001 - the package raises Exception itself
            raise NotReadyError(type(error).__name__) from None
        return Client(connection, mchid=self._options["mchid"], appid=self._appid)


class NotReadyError(Exception):
    """There is nothing to verify WeChat Pay's answers with, so nothing was asked."""


def done(act: Callable[[], Answer], *, asking: bool = False) -> Answer:
    """What ``act`` answers; what it raises says whether WeChat Pay may have done something."""
    try:
        return act()
    except NotReadyError:
        return unknown("not_ready") if asking else failed("not_ready")
    except RequestException as error:
        before = nothing_sent(error, ConnectTimeout, NewConnectionError)
        return failed("not_reached") if before and not asking else unknown("no_answer")
    except Exception:  # noqa: BLE001 - the package raises Exception itself, for a wrong signature most of all
        return unknown("not_understood")


def pem(text: str) -> str:
    """``text`` with lines where an environment carries ``\\n`` for them."""
    return text.replace("\\n", "\n").strip()


def _plain(value: Any) -> Any:
    return pem(value.reveal()) if isinstance(value, Secret) else value


def _readable(private_key: Secret, public_key: str) -> None:
    """Raise where a key is none, before anything depends on it."""
    for name, load, text in (
        ("WECHATPAY_PRIVATE_KEY", load_private_key, private_key.reveal()),
        ("WECHATPAY_PUBLIC_KEY", load_public_key, public_key),
    ):
        try:
            load(pem(text))
        except Exception:  # noqa: BLE001 - the package raises Exception itself
            raise ImproperlyConfigured(f"{name} cannot be read.") from None
