"""What only the built web image can tell: how a name looks in HTML, which modules and time zones there are.

tests/run names the image in IMAGE.
"""

import html
import json
import os
import shutil
import zoneinfo

import pytest
from generation import ROOT, generate, run, slug_problem
from names import NAMES, literal

PAGE = """
import django, json, os, sys
sys.path.insert(0, os.getcwd())
django.setup()
from django.conf import settings
from django.test import Client
page = Client().get("/", headers={"host": "localhost"})
print(json.dumps([page.status_code, settings.SITE_NAME, page.content.decode()]))
"""

EACH_PAGE = f"""
import json, subprocess, sys
places = [f"/odd/{{index}}/shop" for index in range({len(NAMES)})]
run = lambda place: subprocess.run([sys.executable, "-c", {PAGE!r}], cwd=place, check=True, stdout=subprocess.PIPE)
print(json.dumps([json.loads(run(place).stdout.splitlines()[-1]) for place in places]))
"""

MODULES = """
import importlib.metadata, json
print(json.dumps(sorted(importlib.metadata.packages_distributions())))
"""

ZONES = """
import json, pathlib, sys
print(json.dumps([zone for zone in json.load(sys.stdin) if not (pathlib.Path("/usr/share/zoneinfo") / zone).is_file()]))
"""


def python(code, *options, **kwargs):
    """Run code in a container of the image, without network, and return what it printed as JSON."""
    command = ["docker", "run", "--rm", "-i", "--network=none", *options, "--entrypoint=python3", os.environ["IMAGE"]]
    return json.loads(run(*command, "-c", code, cwd=ROOT, **kwargs).stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def pages():
    """The home pages of projects with odd names; their files lie where a Docker daemon sees them."""
    folder = ROOT / ".build" / "odd"
    shutil.rmtree(folder, ignore_errors=True)
    for index, name in enumerate(NAMES):
        generate(folder / str(index), project_name=literal(name), project_slug="shop")
    embedded = [
        "--env=DEBUG=true",
        "--env=DATABASE_URL=sqlite:////tmp/db.sqlite3",
        "--env=DJANGO_SETTINGS_MODULE=shop.settings",
    ]
    yield dict(zip(NAMES, python(EACH_PAGE, f"--volume={folder}:/odd:ro", *embedded), strict=True))
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", NAMES)
def test_name_in_html(pages, name):
    status, site_name, page = pages[name]
    assert (status, site_name) == (200, name)
    assert html.escape(name) in page
    if html.escape(name) != name:
        assert name not in page


def test_installed_modules_are_taken():
    modules = [name for name in python(MODULES) if name.isidentifier() and not name.startswith("_")]
    assert "django" in modules
    assert not [name for name in modules if not slug_problem(name.lower())]


def test_each_time_zone_is_there():
    """Django stops at a time zone that the image does not know."""
    zones = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
    assert len(zones) > 400
    assert python(ZONES, input=json.dumps(zones)) == []
