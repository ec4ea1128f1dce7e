"""What is written to the log, and what never is.

One line of JSON per event in production, readable lines in development; every line of a request carries its
id. Card numbers and secrets are taken out by the last processor, whoever wrote them: our code, a library, or
a traceback.
"""

import logging
import logging.config
import re
from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

import structlog

HIDDEN: Final = "[hidden]"
CARD_DIGITS_MIN: Final = 12

_GUARDED_NAMES: Final = (
    r"passw(?:or)?d|passphrase|pass[_-]?code|pin|cvv2?|cvc2?|csc|secret|token|api[_-]?key|private[_-]?key|signing[_-]?key|"
    r"authorization|cookie|session[_-]?id|otp|totp|recovery[_-]?codes?|pan|card[_-]?number|track[12]"
)
_SECRET_KEY: Final = re.compile(rf"(?:^|[_\W])(?:{_GUARDED_NAMES})s?[12]?(?:$|[_\W])", re.IGNORECASE)
# The same in the middle of aNameLikeThis.
_HUMP: Final = r"(?-i:(?<=[a-z0-9])(?:Passw(?:or)?d|Pin|Cvv|Cvc|Secret|Token|ApiKey|Otp|CardNumber)(?:s|Code)?)"
# A name is looked at once, from where it begins, and only by its end: whoever sends a line of dashes must not keep a
# process busy with all the names that it could be.
_NAMED: Final = re.compile(r"""(?<![\w-])(?P<name>[\w-]+)["']?\s*(?:=>|[=:])\s*""")
_SECRET_NAME: Final = re.compile(rf"(?:(?<![a-z])(?:{_GUARDED_NAMES})[12]?(?-i:Code)?|{_HUMP})\Z", re.IGNORECASE)
_VALUE: Final = re.compile(
    r"""\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|\{[^{}]*\}|\[[^\[\]]*\]|(?:(?:basic|bearer|digest)\s+)?[^\s,;&"'}\])]+""",
    re.IGNORECASE,
)
# Whoever an address lets in: postgresql://somebody:this@there.
_IN_ADDRESS: Final = re.compile(r"(?P<before>://[^\s:/@]*:)[^\s@/]+(?=@)")
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# An id of ours comes first, and stays: by chance, one in some thousands ends in the digits of a card.
_CARD_LIKE: Final = re.compile(
    r"(?<![0-9A-Za-z-])(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z-])"
    r"|(?<![0-9A-Za-z])\d(?:[ \u00a0-]{0,2}\d){11,18}(?![0-9A-Za-z])"
    # With points between, only in fours: addresses of machines are digits and points, too.
    r"|(?<![0-9A-Za-z.])\d{4}(?:\.\d{4}){3}(?![0-9A-Za-z.])"
)


def luhn(digits: str) -> bool:
    """Whether the last of ``digits`` is the check digit of the others, as it is on every payment card."""
    odd = sum(int(d) for d in digits[-1::-2])
    even = sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return (odd + even) % 10 == 0


def hide(text: str) -> str:
    """``text`` without card numbers and without the values of what is named like a secret."""
    # Nearly all that comes here is a word or a short number, in which none of these can be.
    if "=" in text or ":" in text:
        text = _without_secrets(text)
        text = _IN_ADDRESS.sub(rf"\g<before>{HIDDEN}", text)
    return text if len(text) < CARD_DIGITS_MIN else _CARD_LIKE.sub(_without_card, text)


def _without_secrets(text: str) -> str:
    """``text`` without the value of anything that is named like a secret."""
    parts, at = [], 0
    for found in _NAMED.finditer(text):
        if found.start() < at or not _SECRET_NAME.search(found["name"]):
            continue
        if value := _VALUE.match(text, found.end()):
            parts += [text[at : found.end()], HIDDEN]
            at = value.end()
    return "".join([*parts, text[at:]]) if parts else text


def _without_card(found: re.Match[str]) -> str:
    return HIDDEN if not found["id"] and luhn(re.sub(r"\D", "", found[0])) else found[0]


@lru_cache(maxsize=1_024)
def names_secret(name: str) -> bool:
    """Whether what is called ``name`` must not be seen, whatever it holds."""
    return _SECRET_KEY.search(_HUMPS.sub("_", name)) is not None


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor: nothing that is named like a secret, and no card number, is in the event afterwards."""
    return {key: _hidden(key, value) for key, value in event.items()}


def _hidden(key: str, value: Any) -> Any:
    if names_secret(key):
        return HIDDEN
    if isinstance(value, Mapping):
        return {hide(str(name)): _hidden(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden("", inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    clean = hide(str(value))
    return value if clean == str(value) and isinstance(value, int | float) else clean


_SHARED: Final[list[Callable[..., Any]]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def config(*, level: str, lines: bool) -> dict[str, Any]:
    """A logging configuration: readable ``lines``, or JSON when not."""
    renderer = structlog.dev.ConsoleRenderer(colors=False) if lines else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.StackInfoRenderer(),
                    structlog.processors.format_exc_info,
                    hide_secrets,
                    renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # A tick comes every other second: that it came is no news, what went wrong in it is.
            **{name: {"level": "WARNING"} for name in ("celery", "django_structlog.celery", "kombu")},
            # Django's own handlers go: they write past ours, and by mail.
            "django": {"level": "INFO"},
            # Says once more, as a warning, what the request's own line says already.
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": ["stderr"], "propagate": False, "level": "INFO"},
        },
    }


def configure(configuration: dict[str, Any]) -> None:
    """Set up the standard library's logging and structlog's, so that both end in the same formatter."""
    logging.config.dictConfig(configuration)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
