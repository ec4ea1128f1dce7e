"""Which gateways the environment configures, for ``settings.GATEWAYS``. Pure: settings read it.

A gateway is chosen by naming anything of it. What is then missing is a problem that stops the start, see
``wallets.gateways.checks``: nobody wants to find a half-configured gateway by a member's money.
"""

from collections.abc import Callable
from typing import Any, Final

from paymentsite.core.vault.secret import Secret

Read = Callable[[str], str]
Options = dict[str, Any]

ALIPAY_CERTIFICATES: Final = ("ALIPAY_APP_CERT", "ALIPAY_CERT", "ALIPAY_ROOT_CERT")
NEEDED: Final = {
    "stripe": ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"),
    "alipay": ("ALIPAY_APP_ID", "ALIPAY_SELLER_ID", "ALIPAY_PRIVATE_KEY"),
    "wechatpay": (
        "WECHATPAY_MCHID",
        "WECHATPAY_APPID",
        "WECHATPAY_PRIVATE_KEY",
        "WECHATPAY_CERT_SERIAL",
        "WECHATPAY_APIV3_KEY",
    ),
}
MORE: Final = {
    "stripe": ("STRIPE_CURRENCIES", "STRIPE_CONNECT", "STRIPE_RAW_CARDS"),
    "alipay": ("ALIPAY_PUBLIC_KEY", *ALIPAY_CERTIFICATES, "ALIPAY_SANDBOX"),
    "wechatpay": (
        "WECHATPAY_PUBLIC_KEY",
        "WECHATPAY_PUBLIC_KEY_ID",
        "WECHATPAY_TRANSFER_SCENE",
        "WECHATPAY_TRANSFER_REPORT",
    ),
}
_YES: Final = {"1", "true", "yes", "on"}


def from_environment(read: Read) -> tuple[dict[str, Options], list[str]]:
    """The entries of ``settings.GATEWAYS``, and a sentence for each that cannot be one. ``read`` reads a variable."""
    entries, problems = {}, []
    for name, needed in NEEDED.items():
        found = {variable: read(variable) for variable in (*needed, *MORE[name])}
        if not any(found.values()):
            continue
        missing = [variable for variable in needed if not found[variable]]
        if missing:
            problems.append(f"The gateway {name} is configured by half: {', '.join(missing)} is missing.")
            continue
        try:
            entries[name] = _ENTRIES[name](found)
        except ValueError as error:
            problems.append(f"The gateway {name} is configured wrongly: {error}")
    return entries, problems


def _stripe(found: dict[str, str]) -> Options:
    options: Options = {
        "adapter": "wallets.gateways.stripe.Stripe",
        "key": Secret(found["STRIPE_SECRET_KEY"]),
        "webhook_secret": Secret(found["STRIPE_WEBHOOK_SECRET"]),
        "connect": _flag(found, "STRIPE_CONNECT"),
        "raw_cards": _flag(found, "STRIPE_RAW_CARDS"),
    }
    if found["STRIPE_CURRENCIES"]:
        options["currencies"] = tuple(_listed(found["STRIPE_CURRENCIES"]))
    return options


def _alipay(found: dict[str, str]) -> Options:
    certificates = tuple(found[name] for name in ALIPAY_CERTIFICATES)
    if any(certificates) and not all(certificates):
        raise ValueError(f"{', '.join(ALIPAY_CERTIFICATES)} go together.")
    if bool(found["ALIPAY_PUBLIC_KEY"]) == any(certificates):
        raise ValueError("set ALIPAY_PUBLIC_KEY, or else the three certificates.")
    return {
        "adapter": "wallets.gateways.alipay.Alipay",
        "app_id": found["ALIPAY_APP_ID"],
        "seller_id": found["ALIPAY_SELLER_ID"],
        "private_key": Secret(found["ALIPAY_PRIVATE_KEY"]),
        "public_key": found["ALIPAY_PUBLIC_KEY"],
        "certificates": certificates if any(certificates) else None,
        "sandbox": _flag(found, "ALIPAY_SANDBOX"),
    }


def _wechatpay(found: dict[str, str]) -> Options:
    if bool(found["WECHATPAY_PUBLIC_KEY"]) != bool(found["WECHATPAY_PUBLIC_KEY_ID"]):
        raise ValueError("WECHATPAY_PUBLIC_KEY and WECHATPAY_PUBLIC_KEY_ID go together.")
    if found["WECHATPAY_TRANSFER_REPORT"] and not found["WECHATPAY_TRANSFER_SCENE"]:
        raise ValueError("WECHATPAY_TRANSFER_REPORT belongs to a WECHATPAY_TRANSFER_SCENE.")
    return {
        "adapter": "wallets.gateways.wechatpay.WeChatPay",
        "mchid": found["WECHATPAY_MCHID"],
        "appid": found["WECHATPAY_APPID"],
        "private_key": Secret(found["WECHATPAY_PRIVATE_KEY"]),
        "cert_serial": found["WECHATPAY_CERT_SERIAL"],
        "apiv3_key": Secret(found["WECHATPAY_APIV3_KEY"]),
        "public_key": found["WECHATPAY_PUBLIC_KEY"],
        "public_key_id": found["WECHATPAY_PUBLIC_KEY_ID"],
        "transfer_scene": found["WECHATPAY_TRANSFER_SCENE"],
        "transfer_report": _pairs(found["WECHATPAY_TRANSFER_REPORT"]),
    }


_ENTRIES: Final[dict[str, Callable[[dict[str, str]], Options]]] = {
    "stripe": _stripe,
    "alipay": _alipay,
    "wechatpay": _wechatpay,
}


def _flag(found: dict[str, str], name: str) -> bool:
    given = found[name].lower()
    if given not in {*_YES, "", "0", "false", "no", "off"}:
        raise ValueError(f"{name} is yes or no.")
    return given in _YES


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _pairs(text: str) -> dict[str, str]:
    """``kind=text, kind=text``."""
    pairs = [one.partition("=") for one in _listed(text)]
    if any(not (kind.strip() and equals and said.strip()) for kind, equals, said in pairs):
        raise ValueError("WECHATPAY_TRANSFER_REPORT is kind=text, with commas between.")
    return {kind.strip(): said.strip() for kind, _equals, said in pairs}
