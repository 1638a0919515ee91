"""Fills the database that BENCH_DATABASE names; an argument names a folder for static files."""

import gzip
import os
import random
import sys
from pathlib import Path

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from shop.models import Item  # noqa: E402  # needs the settings

call_command("migrate", "--run-syncdb", verbosity=0)
if not Item.objects.exists():
    Item.objects.bulk_create(Item(name=f"item {n}", price=n) for n in range(1, 101))

if sys.argv[1:]:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    letters = random.Random(1)
    for name, size in {"1k.css": 1024, "100k.css": 102_400}.items():
        content = "".join(letters.choices("0123456789abcdef", k=size)).encode()
        (folder / name).write_bytes(content)
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
