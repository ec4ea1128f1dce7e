"""Settings, from the environment alone.

Nothing set means production: whatever is then missing or unsafe stops the start, see
``paymentsite.core.checks``.
"""

import logging
from datetime import timedelta
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from paymentsite.core import logs
from paymentsite.env import ROOT, SANDBOX, VAR, env, secret
from wallets.gateways import configuration

django_stubs_ext.monkeypatch()

DEBUG = env.bool("DEBUG", default=False)
# SANDBOX means a clock that can be moved, simulators and sample data: for trying things out, never beside
# real money. PRODUCTION can be said aloud, so that a forgotten DEBUG or SANDBOX beside it stops the start;
# saying "no" is no way out.
PRODUCTION = env.bool("PRODUCTION", default=False) or not (DEBUG or SANDBOX)

SECRET_KEY = secret("SECRET_KEY", default="" if PRODUCTION else "only-for-development-and-tests-" + "x" * 32)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.str("SITE_URL", default="http://localhost:8000")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django.contrib.humanize",
    "csp",
    "django_structlog",
    "rest_framework",
    "paymentsite.core",
    "paymentsite.ledger",
    "paymentsite.partners",
    "paymentsite.risk",
    "members",
    "wallets",
    "cards",
    "settlement",
    "paymentsite.portal",
    "paymentsite.api",
]

# The request id comes first, so that whatever answers below, an error page too, carries it.
MIDDLEWARE = [
    "django_structlog.middlewares.RequestMiddleware",
    "paymentsite.portal.middleware.request_id",
    "paymentsite.core.middleware.request_origin",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "paymentsite.portal.middleware.admin_content_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "paymentsite.portal.middleware.staff_second_factor",
]

ROOT_URLCONF = "paymentsite.urls"
WSGI_APPLICATION = "paymentsite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "paymentsite.portal.context.surroundings",
            ],
        },
    },
]

# One database. SQLite's journal, locks and triggers are set so that an acknowledged write survives a power
# cut, two writers queue instead of failing, and REPLACE cannot walk past the triggers that keep history
# unchanged.
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR / 'paymentsite.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;"
        ),
    }
else:
    # Without these time-outs a cut network hangs a request for hours: the first while connecting, the second while
    # sending, and while an answer is waited for it is the probes that find nobody there. The pool of psycopg costs a
    # third of the throughput of connections that stay, so connections stay.
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "server_side_binding": True,
        "prepare_threshold": 3,
        "connect_timeout": 5,
        "tcp_user_timeout": 15_000,
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "application_name": "paymentsite",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "members.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_ADAPTER = "members.signing_in.Adapter"
ACCOUNT_FORMS = {"signup": "members.signing_in.SignUpForm"}
# Whatever changes how somebody signs in is told to their address.
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Guessing is limited per address that asks and per sign-in that is guessed at. Five wrong passwords in five minutes
# stop that sign-in from that moment, known or not, and nobody for longer than that: locking people out on purpose must
# not pay. Counted in the cache: with REDIS_URL by all processes together, else by each process for itself. The
# payment PIN has a counter of its own in the database.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/10s/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
}
MFA_ADAPTER = "paymentsite.portal.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
STAFF_SECOND_FACTOR_REQUIRED = env.bool("STAFF_SECOND_FACTOR_REQUIRED", default=PRODUCTION)

SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
# A load balancer asks from inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="smtp://localhost:25" if PRODUCTION else "consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="paymentsite@localhost")

# Who sends text messages, by dotted path: the webhook where anything of it is set, what keeps them for reading outside
# production, and nobody else unless told. Without, phone numbers cannot be proven.
TEXT_MESSAGES_URL = env.str("TEXT_MESSAGES_URL", default="")
TEXT_MESSAGES_SECRET = secret("TEXT_MESSAGES_SECRET")
TEXT_MESSAGES_KEPT = str(VAR / "text-messages.jsonl")
TEXT_MESSAGES = env.str("TEXT_MESSAGES", default="" if PRODUCTION else "paymentsite.core.text_messages.kept.Kept")
if (TEXT_MESSAGES_URL or TEXT_MESSAGES_SECRET) and "TEXT_MESSAGES" not in env:
    TEXT_MESSAGES = "paymentsite.core.text_messages.webhook.Webhook"

# Where the vault's keys come from: environment (VAULT_KEYS or VAULT_KEYS_FILE), hashicorp, aws_kms; see
# docs/security/keys.md. The cost of one guess at a PIN: what OWASP asks for argon2id, 19 MiB and two passes,
# or more.
VAULT_PROVIDER = env.str("VAULT_PROVIDER", default="environment")
VAULT_PIN_MEMORY_KIB = env.int("VAULT_PIN_MEMORY_KIB", default=19_456)
VAULT_PIN_PASSES = env.int("VAULT_PIN_PASSES", default=2)

# Above how much, in the smallest parts of each currency, transfers and gifts take the payment PIN: one, or those of a
# day together since it was last given; where a currency is not named, always. And how much a standing order may send
# each time, which asks for the PIN when it is set up alone; in a currency that is not named there are none.
TRANSFER_PIN_ABOVE = env.json("TRANSFER_PIN_ABOVE", default={"CNY": 20_000, "EUR": 3_000, "USD": 3_000, "JPY": 3_000})
STANDING_ORDER_MAX = env.json(
    "STANDING_ORDER_MAX", default={"CNY": 2_000_000, "EUR": 300_000, "USD": 300_000, "JPY": 300_000}
)

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "paymentsite.formats"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
# Where a business day begins and ends: expiry of points, nightly work, statements of the house.
BUSINESS_TIME_ZONE = env.str("BUSINESS_TIME_ZONE", default="Asia/Shanghai")

# Members exchange by a rate no older than this; where two currencies have none, through the pivot.
EXCHANGE_RATE_MINUTES = env.int("EXCHANGE_RATE_MINUTES", default=24 * 60)
EXCHANGE_PIVOT = env.str("EXCHANGE_PIVOT", default="CNY")
EXCHANGE_QUOTE_SECONDS = env.int("EXCHANGE_QUOTE_SECONDS", default=30)

STATIC_URL = "/static/"
# Collected for production alone; elsewhere files come straight from where they lie.
STATIC_ROOT = env.str("STATIC_ROOT", default=str(ROOT / "staticfiles")) if PRODUCTION else None
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}

WHITENOISE_USE_FINDERS = not PRODUCTION

CSRF_FAILURE_VIEW = "paymentsite.portal.errors.csrf"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "paymentsite.api.problems.handler",
}

REDIS_URL = env.str("REDIS_URL", default="")
# How often somebody tried to sign in is counted for all processes together. Without Redis a folder does on one machine;
# it holds so many counts, lest whoever makes new ones drives out those that hold them back.
_CACHE: dict[str, Any]
if REDIS_URL:
    _CACHE = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
elif PRODUCTION:
    _CACHE = {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(VAR / "cache"),
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
else:
    _CACHE = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
CACHES = {"default": _CACHE}

# Who moves money between us and the world: name → adapter and what it is made with; see wallets/gateways/registry.py.
# Half of one in the environment is a problem, which stops the start.
GATEWAYS: dict[str, dict[str, Any]]
GATEWAYS, GATEWAY_PROBLEMS = configuration.from_environment(secret)
if SANDBOX:
    GATEWAYS["sandbox"] = {
        "adapter": "wallets.gateways.sandbox.Sandbox",
        "path": str(VAR / "sandbox-gateway.sqlite3"),
        "key": "known-to-everybody-as-is-all-of-a-sandbox",
    }

# Up to how much, in minor units by currency, a withdrawal takes no payment PIN. What leaves to a bank is hard to get
# back, so by default every one takes it.
WITHDRAWAL_PIN_ABOVE: dict[str, int] = {}

# Without Redis the broker is a folder: enough for one machine, see docs/decisions/004-broker.md. Either way a
# task is only a nudge; the truth is a row in the database, so a message lost, doubled or late changes
# nothing.
BROKER_FOLDER = VAR / "broker"
CELERY_BROKER_URL = env.str("BROKER_URL", default=REDIS_URL or "filesystem://localhost/")
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, str | int] = {
        "data_folder_in": str(BROKER_FOLDER),
        "data_folder_out": str(BROKER_FOLDER),
        "control_folder": str(BROKER_FOLDER / "control"),
    }
else:
    # What a killed worker held is delivered again after the first of these, looked for as often as the others
    # say.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "health_check_interval": 30,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    # A tick that waited longer than this is dropped: the next one does its work.
    "tick": {"task": "paymentsite.core.tasks.tick", "schedule": 2.0, "options": {"expires": 10}},
}

LOGGING_CONFIG = "paymentsite.core.logs.configure"
LOGGING = logs.config(level=env.str("LOG_LEVEL", default="INFO"), lines=not PRODUCTION)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG

UNFOLD = {
    "SITE_TITLE": "paymentsite",
    "SITE_HEADER": "paymentsite",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("img/mark.svg")}],
    "SHOW_VIEW_ON_SITE": False,
}
