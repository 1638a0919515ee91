"""Refuse an answer that the project could not live with, before anything is written."""

import json
import keyword
import re
import sys
import unicodedata
import zoneinfo

# The answers come as JSON, never inside quotes: an answer is data here and cannot become code.
true, false, null = True, False, None
# The round trip joins the halves of characters outside the BMP, which JSON writes as two escapes.
ANSWERS = json.loads(json.dumps({{ cookiecutter | jsonify }}))

# What a project folder holds or a project imports, and what YAML does not read as a string.
TAKEN = """
    base bin certificates compose core docs health manage media nginx orders outbox pgbouncer postgres redis s3
    secrets static staticfiles templates test tests users venv web wheels
    amqp anyio argon2 argon2_cffi_bindings asgiref ast_serialize billiard boto3 botocore brotli celery cffi channels
    channels_redis click click_didyoumean click_plugins click_repl colorama dateutil django django_redis
    django_rivet django_structlog django_stubs_ext environ gunicorn h11 httptools idna iniconfig ipware jmespath
    kombu librt msgpack msgspec mypy mypy_extensions mypyc packaging pathspec pil pillow pip pluggy prompt_toolkit
    psycopg psycopg_binary pycparser pygments pytest pytest_django python_ipware requests ruff s3transfer setuptools
    six sqlparse storages structlog typing_extensions tzdata tzlocal urllib3 uvicorn uvloop vine watchfiles wcwidth
    websockets whitenoise yaml
    null true false yes no on off
""".split()

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
DOMAIN = rf"{LABEL}(\.{LABEL})*\.(?![0-9]+$){LABEL}"
# Marks that turn the reading direction round, so that a line reads as something that it is not.
BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def name_problem(name: str) -> str | None:
    if not name.strip():
        return "must not be empty"
    if len(name) > 100:
        return "must have at most 100 characters"
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in BIDI for char in name):
        return "must be one line without control characters"
    if re.search(r"\{[%#{]", name):
        return 'must not contain "{" followed by "{", "%" or "#": an update would run it as a template'
    return None


def slug_problem(slug: str) -> str | None:
    # Compose builds the names of its containers and images from it: https://docs.docker.com/reference/compose-file/version-and-name/
    if len(slug) > 40 or not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", slug):
        return "must be at most 40 lower-case letters a-z, digits and single underscores, with a letter first"
    if keyword.iskeyword(slug) or keyword.issoftkeyword(slug):
        return "is a word of the Python language: choose another"
    if slug in {name.lower() for name in sys.stdlib_module_names} | set(TAKEN):
        return "is the name of a module or folder that the project uses: choose another"
    return None


def domain_problem(domain: str) -> str | None:
    if len(domain) > 253 or not re.fullmatch(f"localhost|{DOMAIN}", domain):
        return "must be a lower-case domain such as shop.example.com (no scheme, port or path; IDN as xn--...)"
    return None


def email_problem(email: str) -> str | None:
    local, _, domain = email.rpartition("@")
    if len(local) > 64 or not re.fullmatch(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*", local) or domain_problem(domain):
        return "must be an e-mail address such as admin@example.com"
    return None


def timezone_problem(timezone: str) -> str | None:
    # Empty where neither the system nor the tzdata package knows any: then its shape must do.
    known = zoneinfo.available_timezones() - {"localtime", "Factory"}
    if timezone not in known if known else not re.fullmatch(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*", timezone):
        return "must be a name of the tz database such as UTC or Europe/Vienna"
    return None


# cookiecutter creates the folder before this hook runs. So that a slug like ../a/b creates none elsewhere,
# cookiecutter.json puts a "-" in the place of one that is no identifier; the answer itself is __slug_answer.
CHECKS = {
    "project_name": name_problem,
    "__slug_answer": slug_problem,
    "domain_name": domain_problem,
    "author_email": email_problem,
    "timezone": timezone_problem,
}

for key, problem_of in CHECKS.items():
    if problem := problem_of(ANSWERS[key]):
        question = key.replace("__slug_answer", "project_slug")
        sys.exit(f"{question} {ANSWERS[key][:120]!r} {problem}.")
