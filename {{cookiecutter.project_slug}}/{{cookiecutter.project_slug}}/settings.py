"""All settings, from the environment: .env.example explains each variable.

DEBUG=true without any other variable runs embedded: SQLite, in-process cache, local files, eager tasks (`make dev`).
https://docs.djangoproject.com/en/6.1/ref/settings/
"""

import logging
import socket
from pathlib import Path
from typing import Any

import django_stubs_ext
import structlog
from celery.schedules import crontab
from django.utils.csp import CSP
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from .env import Env, PublicUrl, origin_of, warn

django_stubs_ext.monkeypatch()  # so that `ModelAdmin[Job]` can be written
env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- The site ------------------------------------------------------------------------------------------------------

DEBUG = env.debug
SITE_NAME = {{ cookiecutter.project_name | pprint }}  # fmt: skip
{%- if cookiecutter.example_app == "yes" %}
NAVIGATION = [("Orders", "orders:list")]  # labels and names of URLs
{%- else %}
NAVIGATION: list[tuple[str, str]] = []  # labels and names of URLs
{%- endif %}
SECRET_KEY = env.required("SECRET_KEY", embedded="insecure-and-for-development-only")
SECRET_KEY_FALLBACKS = env.text("SECRET_KEY_FALLBACKS").split()
HEALTH_TOKEN = env.required("HEALTH_TOKEN", embedded="development")
DRAIN_FILE = Path("/tmp/draining")  # noqa: S108 - exists: /health/ready answers 503, so that a replica can leave

TIME_ZONE = "{{ cookiecutter.timezone }}"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "{{ cookiecutter.project_slug }}.urls"
ASGI_APPLICATION = "{{ cookiecutter.project_slug }}.asgi.application"
WSGI_APPLICATION = "{{ cookiecutter.project_slug }}.wsgi.application"

# --- Hosts, origins and cookies: all from PUBLIC_URL ---------------------------------------------------------------

PUBLIC_URL = PublicUrl.parse(env.required("PUBLIC_URL", embedded="http://localhost:8000"))
if not (PUBLIC_URL.secure or DEBUG):
    warn(f"PUBLIC_URL is {PUBLIC_URL.origin}: cookies and pages travel unencrypted, which only suits this machine.")

ALLOWED_HOSTS = [PUBLIC_URL.host]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL.origin]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # nginx always overwrites it
SECURE_SSL_REDIRECT = PUBLIC_URL.secure
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 3600) * PUBLIC_URL.secure  # browsers ignore it on http
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PUBLIC_URL.secure
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.secure
COOKIE_PREFIX = "__Host-" if PUBLIC_URL.secure else ""  # no subdomain can plant a cookie with this prefix
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
X_FRAME_OPTIONS = "DENY"

STATIC_HOST = env.text("STATIC_HOST").rstrip("/")
S3_ENDPOINT_URL = env.required("S3_ENDPOINT_URL", embedded="")
S3_PUBLIC_URL = env.text("S3_PUBLIC_URL", S3_ENDPOINT_URL)
STATIC_SOURCES = [CSP.SELF, *filter(None, [origin_of(STATIC_HOST)])]
SECURE_CSP = {
    "default-src": STATIC_SOURCES,
    "img-src": [*STATIC_SOURCES, *filter(None, [origin_of(S3_PUBLIC_URL)])],
    "connect-src": [CSP.SELF, PUBLIC_URL.websocket_origin],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

# --- Apps and middleware -------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_rivet",
    "channels",
    "django_structlog",
    "users",
    "outbox",
{%- if cookiecutter.example_app == "yes" %}
    "orders",
{%- endif %}
    "{{ cookiecutter.project_slug }}.health",
]

MIDDLEWARE = [
    "{{ cookiecutter.project_slug }}.logs.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # serves static files where no nginx does
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
                "{{ cookiecutter.project_slug }}.views.site",
            ],
        },
    },
]

# --- The web server: what `manage.py runrivet` does not take by its own defaults -----------------------------------

RIVET_PROCESSES = env.number("RIVET_PROCESSES", 1)
RIVET_WORKERS = env.number("RIVET_WORKERS", 8)
RIVET_METRICS = env.text("RIVET_METRICS", "off")
RIVET_ACCESS_LOG = "off"  # nginx writes it
RIVET_GRACEFUL_TIMEOUT = 25  # seconds, within the container's stop_grace_period
RIVET_WS_MAX_MESSAGE = 1024**2  # bytes

# --- Users ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Database: through PgBouncer; the alias `direct` passes it by --------------------------------------------------

# Seconds that a connection outlives its request. rivet's few threads stay and keep it: a login costs more than a query.
# uvicorn runs each view in a thread of its own, which would take it along.
CONN_MAX_AGE = env.choice("WEB_SERVER", {"rivet": 60, "uvicorn": 0})


def database(name: str, url: str, max_age: int = CONN_MAX_AGE) -> dict[str, Any]:
    """Return the settings of one connection; URL wins over DATABASE_PASSWORD."""
    config = env.database(name, url)
    if config["ENGINE"].endswith("postgresql"):
        config |= {
            "DISABLE_SERVER_SIDE_CURSORS": True,  # a transaction pool changes the connection under them
            "CONN_MAX_AGE": max_age,
            "CONN_HEALTH_CHECKS": max_age > 0,
        }
        # Seconds to connect, milliseconds without an acknowledgement: a lost network is noticed, not waited for.
        config["OPTIONS"] = {"connect_timeout": 3, "tcp_user_timeout": 5000} | config.get("OPTIONS", {})
    else:
        config["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"}
    return config


DATABASE_URL = env.required("DATABASE_URL", embedded=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
DATABASES = {
    "default": database("DATABASE_URL", DATABASE_URL),
    # For what needs a session of its own: LISTEN, session locks, backups. PostgreSQL's own are few: none is kept.
    "direct": {
        **database("DATABASE_DIRECT_URL", env.text("DATABASE_DIRECT_URL", DATABASE_URL), max_age=0),
        "TEST": {"MIRROR": "default"},
    },
}

# --- Cache and sessions --------------------------------------------------------------------------------------------

CACHE_URL = env.redis("CACHE_URL")
if CACHE_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": CACHE_URL,
            "OPTIONS": {
                "REDIS_CLIENT_CLASS": "{{ cookiecutter.project_slug }}.cache.GuardedRedis",
                "CONNECTION_POOL_CLASS": "{{ cookiecutter.project_slug }}.cache.GuardedPool",
                "SERIALIZER": "django_redis.serializers.json.JSONSerializer",  # pickle would run what the cache holds
                "IGNORE_EXCEPTIONS": True,  # without a cache the site is slower, and works
                # Explicit: redis-py would wait 5 s and try ten times.
                "SOCKET_CONNECT_TIMEOUT": 0.5,
                "SOCKET_TIMEOUT": 0.5,
                "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0)},
            },
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

SESSION_ENGINE = "{{ cookiecutter.project_slug }}.sessions"

# --- Files ---------------------------------------------------------------------------------------------------------

STATIC_URL = f"{STATIC_HOST}/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / "media"

STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "{{ cookiecutter.project_slug }}.storage.PrivateMediaStorage",
        "OPTIONS": {
            "endpoint_url": S3_ENDPOINT_URL,
            "public_url": S3_PUBLIC_URL,
            "bucket_name": env.text("S3_BUCKET", "media"),
            "region_name": env.text("S3_REGION", "garage"),
            "access_key": env.required("S3_ACCESS_KEY_ID", embedded=""),
            "secret_key": env.required("S3_SECRET_ACCESS_KEY", embedded=""),
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if not S3_ENDPOINT_URL:
    STORAGES["default"] = {"BACKEND": "{{ cookiecutter.project_slug }}.storage.LocalMediaStorage"}

# --- Mail ----------------------------------------------------------------------------------------------------------

MAILERS = {"default": env.mailer()}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("DEFAULT_FROM_EMAIL", "{{ cookiecutter.author_email }}")

# --- Channel layer and tasks: both on redis-queue ------------------------------------------------------------------

QUEUE_URL = env.redis("QUEUE_URL")
# A connection that died without a word is noticed within 10 seconds, where the system can.
KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
KEEPALIVE_OPTIONS = {getattr(socket, name): value for name, value in KEEPALIVE.items() if hasattr(socket, name)}
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
if QUEUE_URL:
    CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",  # reconnects and subscribes again by itself
        "CONFIG": {
            "prefix": "channels",
            "hosts": [
                {
                    "address": QUEUE_URL,
                    "socket_timeout": None,  # https://github.com/django/channels_redis/issues/422
                    "socket_connect_timeout": 2,
                    "socket_keepalive_options": KEEPALIVE_OPTIONS,
                    "health_check_interval": 25,
                    # A replica where nobody listens learns of a restart of Redis from the next visitor.
                    "retry": AsyncRetry(ExponentialBackoff(cap=0.2, base=0.05), 3),
                }
            ],
        },
    }

CELERY_BROKER_URL = QUEUE_URL or "memory://"
CELERY_TASK_ALWAYS_EAGER = not QUEUE_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 270
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,  # above the time limit: else a task in work is given to a second worker
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
    "socket_keepalive": True,
    "socket_keepalive_options": KEEPALIVE_OPTIONS,
    "health_check_interval": 25,
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "{{ cookiecutter.project_slug }}.celery:Scheduler"
CELERY_BEAT_SCHEDULE = {
    # `expires`: what piles up while no worker runs is worth nothing later.
    "heartbeat": {"task": "health.heartbeat", "schedule": 5, "options": {"expires": 10}},
    "outbox": {"task": "outbox.sweep", "schedule": 5, "options": {"expires": 10}},
    "expired-sessions": {"task": "health.clear_sessions", "schedule": crontab(hour=4, minute=0)},
    "done-jobs": {"task": "outbox.prune", "schedule": crontab(hour=4, minute=10)},
}

# --- Logs: one JSON line per event on stdout, without cookies, query strings or addresses --------------------------

LOG_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *LOG_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # nginx sets its own
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = ""
# In production nginx logs each request; the outbox logs each job.
DJANGO_STRUCTLOG_STATUS_2XX_LOG_LEVEL = logging.INFO if DEBUG else logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = DJANGO_STRUCTLOG_STATUS_2XX_LOG_LEVEL
DJANGO_STRUCTLOG_STATUS_DEFAULT_LOG_LEVEL = DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG

LOG_RENDERERS: list[Any] = [
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
]
if DEBUG:
    LOG_RENDERERS = [structlog.dev.ConsoleRenderer()]

LOG_LEVEL = env.choice("LOG_LEVEL", {level: level for level in ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")})
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": LOG_PROCESSORS,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *LOG_RENDERERS,
            ],
        },
    },
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"handlers": ["stdout"], "level": LOG_LEVEL},
    "loggers": {
        # Libraries bring handlers of their own: all goes to the root's.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.error": {"level": "WARNING"},  # its lines on WebSockets show query strings
        # Said already by others.
        "uvicorn.access": {"handlers": [], "propagate": False},
        "django.request": {"level": "CRITICAL"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
