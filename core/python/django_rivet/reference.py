"""The settings reference, made from the table of options: `python -m django_rivet.reference > docs/settings.md`."""

from itertools import groupby

from django_rivet import conf
from django_rivet.kinds import text

_HEAD = """# Settings

<!-- Made by `python -m django_rivet.reference`, from the table in `django_rivet/conf.py`: change it there. -->

Each option is a flag of `manage.py runrivet`, such as `--max-body`, and an environment variable and a Django \
setting, which share a name: `RIVET_MAX_BODY`. The flag wins, then the environment, then the settings; an empty \
variable counts as not set. `runrivet --check` prints those that somebody set, with where.

Durations are in seconds. Sizes are in bytes, or with a unit of 1024: `64K`, `100M`, `1 GiB`. A value that an \
option cannot take ends the start with code 3 and a line that says what to write.
"""

_TAIL = """
## Names of others

These the core reads where they have always been: `ALLOWED_HOSTS`, `ASGI_APPLICATION` (WebSockets, and all that \
is not Django's), `CORS_*` ([cors.md](cors.md)), `CSRF_TRUSTED_ORIGINS` (pages that may open WebSockets), `DEBUG`, \
`FORCE_SCRIPT_NAME`, `MIDDLEWARE`, `ROOT_URLCONF`, `STATIC_ROOT` and `STATIC_URL` (with `--static`). systemd's \
`LISTEN_FDS`, `NOTIFY_SOCKET` and `WATCHDOG_USEC` are in [running.md](running.md).
"""


def reference() -> str:
    """The page, in Markdown."""
    parts = [_HEAD]
    for section, rows in groupby(conf.rows(), lambda row: row.section):
        parts.append(f"\n## {section}\n\n| option | default | meaning |\n|---|---|---|\n")
        parts += map(_line, rows)
    return "".join([*parts, _TAIL])


def _line(row: conf.Row) -> str:
    wanted = "" if row.kind.wanted == text().wanted else f" Write {row.kind.wanted}."
    meaning = f"{row.help}{wanted}".replace("|", "\\|")
    return f"| `{row.flag}`<br>`{row.variable}` | {row.default} | {meaning} |\n"


if __name__ == "__main__":
    print(reference(), end="")
