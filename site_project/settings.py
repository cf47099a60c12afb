"""Settings of every installation: one file, driven by environment variables.

`.env.example` explains each variable; `checks.py` reports wrong combinations.
"""

from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from site_project.environment import Environment, for_pages

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(BASE_DIR)

# --- Core -----------------------------------------------------------------------------------------

SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
DEBUG = env.flag("DEBUG", default=False)
SITE_URL = env.text("SITE_URL", "http://localhost:8000").rstrip("/")
SITE_NAME = env.text("SITE_NAME", "Mailing service")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or [urlsplit(SITE_URL).hostname or "localhost"]
if DEBUG:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS") or [SITE_URL]

VAR_DIR = env.path("VAR_DIR", "var")
VAR_DIR.mkdir(parents=True, exist_ok=True)

ROOT_URLCONF = "site_project.urls"
WSGI_APPLICATION = "site_project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "site_project",
    "home",
    "blog",
    "mailing",  # before django_q: its `qcluster` command replaces the stock one
    "accounts",
    "accounts.wagtail_users.UsersAppConfig",  # in place of wagtail.users
    "wagtail.contrib.redirects",
    "wagtail.sites",
    "wagtail.snippets",
    "wagtail.documents",  # the admin asks for its API; nobody may upload documents
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "wagtail_modeladmin",
    "modelcluster",
    "taggit",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_countries",
    "phonenumber_field",
    "django_q",
    "django.contrib.admin",  # no URLs of it: modeladmin borrows its filters and icons
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sitemaps",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "site_project.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SessionsMiddleware",
    "accounts.middleware.PreferencesMiddleware",
    "site_project.page_cache.PageCacheMiddleware",  # after all that says who asks
    "site_project.middleware.ScreenErrorsMiddleware",
    "site_project.access.AdminGuardMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",  # old addresses of renamed posts
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "site_project.context_processors.site",
            ],
        },
    },
]

# Widgets of ours have their templates beside all others.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database and cache ---------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database("DATABASE_URL", f"sqlite:///{VAR_DIR}/db.sqlite3")
}
# The ORM broker closes connections that are older than this at each enqueue.
DATABASES["default"]["CONN_MAX_AGE"] = 600
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    if DATABASES["default"]["NAME"] != ":memory:":
        DATABASES["default"]["NAME"] = BASE_DIR / DATABASES["default"]["NAME"]
    DATABASES["default"]["OPTIONS"] = {
        # Readers never wait for the writer (WAL), and a writer waits its turn at BEGIN instead of
        # failing at its first write.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-20000;"
        ),
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    database_options = DATABASES["default"].setdefault("OPTIONS", {})
    database_options.setdefault("connect_timeout", 10)
    # To compile a statement takes PostgreSQL longer than any of ours may run.
    database_options.setdefault("options", "-c jit=off")

CACHES = {"default": env.cache("CACHE_URL", f"filecache://{VAR_DIR}/cache")}
CACHES["pages"] = for_pages(CACHES["default"], kept=env.flag("PAGE_CACHE", default=True))

# --- Accounts -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
REGISTRATION_OPEN = env.flag("REGISTRATION_OPEN", default=True)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "wagtailadmin_home"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_FORMS = {"user_token": "accounts.reset.ResetLinkForm"}
ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD = "website"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_CHANGE_EMAIL = True  # one address; the old one counts until the new one is verified
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Without it a signed-in person who may not enter the admin is sent to and fro for ever.
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False
CONFIRMATION_RESEND_SECONDS = 60
ACCOUNT_RATE_LIMITS = {  # all others are allauth's own
    "confirm_email": f"1/{CONFIRMATION_RESEND_SECONDS}s/key,5/h/key",
    "copy_of_data": "5/h/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 0)
MFA_ADAPTER = "accounts.second_step.MFAAdapter"
MFA_FORMS = {
    "add_webauthn": "accounts.passkeys.AddForm",
    "edit_webauthn": "accounts.passkeys.RenameForm",
    "login_webauthn": "accounts.passkeys.LoginForm",
    "authenticate_webauthn": "accounts.passkeys.AuthenticateForm",
    "reauthenticate_webauthn": "accounts.passkeys.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # clocks of telephones differ by some seconds
# Nobody gets in before the first address is confirmed; this is so that a person with a second step
# may change theirs.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers allow passkeys without https on this one name.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = f"{SITE_URL}:".startswith("http://localhost:")
USERSESSIONS_TRACK_ACTIVITY = True  # `accounts.middleware` does it, seldom enough for SQLite
CONTACT_EMAIL = env.text("CONTACT_EMAIL")
SIGNED_COOKIE_LEGACY_SALT_FALLBACK = False

# --- Mail -----------------------------------------------------------------------------------------

_EMAIL = env.email("EMAIL_URL", "smtp://127.0.0.1:1025")
EMAIL_CONFIGURED = bool(env.text("EMAIL_URL"))
EMAIL_BACKEND = _EMAIL["EMAIL_BACKEND"]
EMAIL_HOST = _EMAIL["EMAIL_HOST"] or ""
EMAIL_USE_TLS = bool(_EMAIL.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_EMAIL.get("EMAIL_USE_SSL"))
EMAIL_PORT = _EMAIL["EMAIL_PORT"] or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_HOST_USER = _EMAIL["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _EMAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 30, at_least=1)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "noreply@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
SENDER_ADDRESS = env.text("SENDER_ADDRESS") or parseaddr(DEFAULT_FROM_EMAIL)[1]
MAIL_CATCHER_DIR = env.path("MAIL_CATCHER_DIR", "") if env.text("MAIL_CATCHER_DIR") else None
if env.flag("MAIL_LOOPBACK_ONLY", default=False) and EMAIL_HOST not in {"127.0.0.1", "::1"}:
    raise ImproperlyConfigured(
        "MAIL_LOOPBACK_ONLY is on, so EMAIL_URL must name 127.0.0.1 or [::1] as the mail server."
    )

# Sending of mailings (see docs/delivery.md).
SMTP_CONNECTIONS = env.number("SMTP_CONNECTIONS", 4, at_least=1)
SMTP_MESSAGES_PER_CONNECTION = env.number("SMTP_MESSAGES_PER_CONNECTION", 1000, at_least=1)
SERVER_LETTERS_PER_SECOND = env.number("SERVER_LETTERS_PER_SECOND", 0)
SERVER_LETTERS_PER_DAY = env.number("SERVER_LETTERS_PER_DAY", 0)
OWNER_LETTERS_PER_SECOND = env.number("OWNER_LETTERS_PER_SECOND", 0)
OWNER_LETTERS_PER_DAY = env.number("OWNER_LETTERS_PER_DAY", 50_000)
RETENTION_DAYS = env.number("RETENTION_DAYS", 365)
JOURNAL_DIR = VAR_DIR / "journal"

# --- Background work ------------------------------------------------------------------------------

SCHEDULER_ACTIVE = env.flag("SCHEDULER_ACTIVE", default=True)
SCHEDULER_INTERVAL = env.number("SCHEDULER_INTERVAL", 1, at_least=1)
Q_WORKERS = env.number("Q_WORKERS", 2, at_least=2)
Q_CLUSTER: dict[str, Any] = {
    "name": "mailing",
    "workers": Q_WORKERS,
    "queue_limit": Q_WORKERS,
    # A sender that has written a final dot waits up to ten minutes for the answer (RFC 5321
    # section 4.5.3.2.6), so its task may last 20 s of work, 600 s of waiting and a margin.
    "timeout": env.number("Q_TIMEOUT", 660, at_least=1),
    "retry": env.number("Q_RETRY", 720, at_least=1),
    "max_attempts": 3,
    "ack_failures": True,  # tasks only wake: the tables say what is left to do
    "catch_up": False,
    "bulk": 1,
    "save_limit": 50,
    "poll": 0.5,
    "guard_cycle": 1,
    "cache": "default",
    "label": "Task queue",
}
if redis_url := env.text("Q_REDIS_URL"):
    Q_CLUSTER["redis"] = redis_url
else:
    Q_CLUSTER["orm"] = "default"

# --- Languages and time ---------------------------------------------------------------------------

LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", (code for code, _name in LANGUAGES))
LOCALE_PATHS = [BASE_DIR / "site_project" / "locale"]
TIME_ZONE = env.choice("TIME_ZONE", "UTC", available_timezones())
USE_TZ = True
FORMAT_MODULE_PATH = "site_project.formats"
USE_I18N = True

# --- Static files and media -----------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", "static")
MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("MEDIA_ROOT", str(VAR_DIR / "media"))
SERVE_MEDIA = env.flag("SERVE_MEDIA", default=DEBUG)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Files that no address leads to: those that clients are imported from, until that is done.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": env.path("PRIVATE_ROOT", str(VAR_DIR / "private")),
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o644
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # Wagtail's editor of large pages needs it

# --- Wagtail --------------------------------------------------------------------------------------

WAGTAIL_SITE_NAME = SITE_NAME
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAILADMIN_LOGIN_URL = "account_login"
WAGTAIL_FRONTEND_LOGIN_URL = "/accounts/login/"
WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
WAGTAILADMIN_NOTIFICATION_INCLUDE_SUPERUSERS = False
WAGTAILADMIN_COMMENTS_ENABLED = False  # they mail within the request; a review has its own comment
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False  # these four belong to allauth
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
WAGTAILUSERS_PASSWORD_REQUIRED = True
WAGTAIL_GRAVATAR_PROVIDER_URL = None  # nothing is fetched from outside
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAILIMAGES_IMAGE_FORM_BASE = "site_project.pictures.PictureForm"
WAGTAILIMAGES_EXTENSIONS = ["gif", "jpg", "jpeg", "png", "webp"]
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 5 * 1024 * 1024
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 25_000_000
TAGGIT_CASE_INSENSITIVE = True

# --- Security -------------------------------------------------------------------------------------

HTTPS = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = HTTPS and env.flag("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# --- Logging --------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "site_project.logs.OneLineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django_tasks": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},  # each command of each connection to the mail catcher
        "wagtail": {"level": "WARNING"},  # who did what is in its own log tables
        "django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
