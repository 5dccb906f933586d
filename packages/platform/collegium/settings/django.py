"""What Django wants to know, derived from the installation's settings. Nothing is decided twice."""

from __future__ import annotations

import json
import secrets
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from psycopg import conninfo

from collegium.settings.installation import installation
from collegium.settings.places import database_home, files_of_pages

_own = installation()
_package = Path(__file__).resolve().parent.parent


def _secret() -> str:
    """The cookies' key; a command before the first start gets one that dies with it."""
    path = _own.keys_dir / "session.key"
    return path.read_bytes().hex() if path.exists() else secrets.token_hex(32)


def _database_url() -> str:
    """Where the database is: told, or kept by the embedded server; empty before its first start."""
    told = _own.owner_database_url if _own.as_owner else _own.database_url
    if told or _own.database_url:
        return told or ""
    path = database_home(_own.data_dir) / "addresses.json"  # written by `kit.postgres`
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return str(kept.get("owner" if _own.as_owner else "app", ""))


def _database(pool: int) -> dict[str, Any]:  # Any: Django's own form
    parts = conninfo.conninfo_to_dict(_database_url())
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "collegium"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # asked as the pool hands a connection out: a restart costs no error
        "OPTIONS": {**parts, "pool": {"min_size": 1, "max_size": pool, "timeout": 20}}
        if pool
        else dict(parts),
    }


SECRET_KEY = _secret()
DEBUG = _own.debug
# A name that somebody else's DNS points here must not open the pages (DNS rebinding).
ALLOWED_HOSTS = sorted({urlsplit(_own.address).hostname or _own.host, _own.host, "127.0.0.1", "localhost"})
CSRF_TRUSTED_ORIGINS = [_own.address]
ROOT_URLCONF = "collegium.web.urls"
WSGI_APPLICATION = None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": _database(0 if _own.as_owner else _own.pool_size),
    "second": _database(0 if _own.as_owner else 4),
}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "collegium.kit.pages",
    "collegium.trust.audit",
    "collegium.trust.identity",
    "collegium.trust.tenancy",
    "collegium.trust.access",
    "collegium.trust.signatures",
    "collegium.imaging.connections",
    "collegium.imaging.archive",
    "collegium.imaging.ingest",
    "collegium.imaging.grants",
    "collegium.imaging.marks",
    "collegium.forms",
    "collegium.notifications",
    "collegium.research.projects",
    "collegium.research.pipeline",
    "collegium.research.data_queries",
    "collegium.research.reads",
    "collegium.research.results",
    "collegium.research.oversight",
    "collegium.research.pages",
    "allauth",
    "allauth.account",
    "collegium.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "collegium.kit.pages.built_files.BuiltFiles",
    "collegium.kit.pages.policy.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "collegium.web.middleware.ActingAs",
]

TEMPLATES: list[dict[str, Any]] = [  # Any: Django's own form
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_package / "web" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "collegium.web.frame.frame",
            ],
            "builtins": ["django_cotton.templatetags.cotton", "collegium.kit.pages.templatetags.pages"],
        },
    }
]

# accounts
AUTH_USER_MODEL = "trust_identity.Account"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
ACCOUNT_ADAPTER = "collegium.trust.identity.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = False  # our own lock counts in the database, over all processes and signatures too
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"

# sessions and cookies
SESSION_COOKIE_AGE = _own.idle_minutes * 60
SESSION_COOKIE_NAME = "collegium_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if _own.address.startswith("https://") else 0
SESSION_COOKIE_SECURE = _own.address.startswith("https://")
CSRF_COOKIE_NAME = "collegium_csrf"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# words, times, files
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [_package / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [_package / "web" / "static"]
STATIC_ROOT = None  # served from the package itself
WHITENOISE_USE_FINDERS = True
KEPT_FILES = files_of_pages(_own.data_dir)
WHITENOISE_MAX_AGE = 3600
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/built/.+-[\w-]{8}\.\w+$"
WHITENOISE_MIMETYPES = {".wasm": "application/wasm"}

# e-mail: only sent where a mail server is named
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _own.mail_host else 'dummy'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _own.mail_host, _own.mail_port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _own.mail_user, _own.mail_password
EMAIL_USE_TLS, EMAIL_USE_SSL = _own.mail_security == "starttls", _own.mail_security == "tls"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = _own.mail_from or f"collegium@{urlsplit(_own.address).hostname or 'localhost'}"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_IMPORT_PATHS = ["collegium.kit.jobs", "collegium.wiring"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "console": {"class": "logging.StreamHandler"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # What it warns of may quote a header's value. Its own import sets its level.
        "pydicom": {"handlers": ["nowhere"], "propagate": False},
    },
}
warnings.filterwarnings("ignore", module=r"pydicom\.")  # the same words again
