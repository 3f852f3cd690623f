"""Django's settings, all from the environment (`PARCOURS_…`, listed in docs/configuration.md)."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.utils.translation import gettext_lazy as _
from environs import Env

from parcours.config.secret import secret_key

env = Env()
PACKAGE = Path(__file__).resolve().parent.parent

DATA_DIR = Path(env.str("PARCOURS_DATA_DIR", "./var")).resolve()
PUBLIC_URL = env.str("PARCOURS_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
DATABASE_URL = env.str("PARCOURS_DATABASE_URL", f"sqlite:///{DATA_DIR / 'parcours.sqlite3'}")
EVENTS_URL = env.str("PARCOURS_EVENTS_URL", "")
EMAIL_URL = env.str("PARCOURS_EMAIL_URL", "")
EMAIL_CONNECTIONS = env.int("PARCOURS_EMAIL_CONNECTIONS", 4)
EMAIL_TIMEOUT_SECONDS = env.float("PARCOURS_EMAIL_TIMEOUT_SECONDS", 60)
# Pauses before a mail that was put off is tried again; after the last the refusal is for good.
EMAIL_RETRY_SECONDS = [
    float(pause)
    for pause in env.list("PARCOURS_EMAIL_RETRY_SECONDS", "60 300 900 1800 3600 7200 14400 28800".split())
]
MACHINE_RULES = env.str("PARCOURS_MACHINE_RULES", "")
CLOCK = env.str("PARCOURS_CLOCK", "")
DISK_FULL_PERCENT = env.float("PARCOURS_DISK_FULL_PERCENT", 85.0)
IMPORT_MAX_BYTES = env.int("PARCOURS_IMPORT_MAX_BYTES", 2 * 1024**3)
PLAN_URL = env.str("PARCOURS_PLAN_URL", "")
METRICS_TOKEN = env.str("PARCOURS_METRICS_TOKEN", "")
DEBUG = env.bool("PARCOURS_DEBUG", False)
SECRET_KEY = env.str("PARCOURS_SECRET_KEY", "") or secret_key(DATA_DIR)

DEMO = env.bool("PARCOURS_DEMO", False)

ALLOWED_HOSTS = env.list(
    "PARCOURS_ALLOWED_HOSTS", [urlsplit(PUBLIC_URL).hostname or "", "localhost", "127.0.0.1", "[::1]"]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "parcours.ui",  # before allauth: its pages are ours
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "parcours.events",
    "parcours.accounts",
    "parcours.contacts",
    "parcours.contacts.merging",
    "parcours.tracking",
    "parcours.criteria",
    "parcours.segments",
    "parcours.messaging",
    "parcours.commerce",
    "parcours.journeys",
    "parcours.reports",
    "parcours.demo",
    "parcours.config",
]

MIDDLEWARE = [
    "parcours.config.middleware.frame",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "parcours.ui.middleware.reader",
]

ROOT_URLCONF = "parcours.config.urls"
ASGI_APPLICATION = "parcours.config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "parcours.ui.context.frame",
                "parcours.accounts.context.may",
            ],
        },
    }
]

_default = dj_database_url.parse(DATABASE_URL)
if _default["ENGINE"] == "django.db.backends.sqlite3":
    # A writer takes its lock when the transaction begins, so that two never find out half-way; FULL makes a
    # commit durable even when the machine's power fails, which the claims of sends rely on.
    _default["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-64000; "
            # Pages that one commit after another dirties are written to the file once, not at each commit.
            "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456; PRAGMA wal_autocheckpoint=10000;"
        ),
    }
else:
    _default["CONN_HEALTH_CHECKS"] = True
# Requests run in threads that stay (`config.handler`), so each keeps its connection.
_default["CONN_MAX_AGE"] = 60
DATABASES = {"default": _default}
# How many digests can work side by side, each on its own accounts. SQLite has one writer, so one digest.
SHARDS = 1 if _default["ENGINE"] == "django.db.backends.sqlite3" else env.int("PARCOURS_SHARDS", 8)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "parcours.accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_URL = "account_login"
# Single sign-on by OpenID Connect: the page of sign-in offers it when the provider's address is given.
SSO_URL = env.str("PARCOURS_SSO_URL", "")
SSO_NAME = env.str("PARCOURS_SSO_NAME", "SSO")
SSO_TRUST_EMAIL = env.bool("PARCOURS_SSO_TRUST_EMAIL", False)
SOCIALACCOUNT_ADAPTER = "parcours.accounts.single_sign_on.Adapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a link: the policy of pages lets no form lead to another site
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": SSO_NAME,
                "client_id": env.str("PARCOURS_SSO_CLIENT_ID", ""),
                "secret": env.str("PARCOURS_SSO_CLIENT_SECRET", ""),
                "settings": {"server_url": SSO_URL},
            }
        ]
        if SSO_URL
        else [],
    }
}

MFA_ADAPTER = "parcours.accounts.adapter.SecondFactorAdapter"
MFA_TOTP_ISSUER = "Parcours"
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off

# The installation's own mails (a forgotten password) go the way of the messages; without a server, to the log.
_mail = urlsplit(EMAIL_URL)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_URL else 'console'}.EmailBackend"
EMAIL_HOST = _mail.hostname or "localhost"
EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 25)
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = f"Parcours <no-reply@{urlsplit(PUBLIC_URL).hostname or 'localhost'}>"
LOGIN_REDIRECT_URL = "/"

LANGUAGE_CODE = "en"
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
LOCALE_PATHS = [str(path) for path in sorted(PACKAGE.glob("*/locale"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG
SERVESTATIC_IMMUTABLE_FILE_TEST = r"/ui/dist/assets/"  # their names bear a hash of their content

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 86_400 if SESSION_COOKIE_SECURE else 0
X_FRAME_OPTIONS = "SAMEORIGIN"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
SILENCED_SYSTEM_CHECKS: list[str] = []

if "PYTEST_VERSION" in os.environ:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
