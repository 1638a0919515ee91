"""Background jobs that are neither lost nor done twice: each is a row of the transaction that asks for it.

Redis alone cannot promise that: its transport loses the message of a worker that is killed between two commands
(https://github.com/celery/kombu/issues/305). So the rows are the truth, and messages only make it quick.
"""

from collections.abc import Callable
from functools import partial

from django.db import transaction

REGISTRY: dict[str, Callable[..., object]] = {}


def job[**Params, Result](function: Callable[Params, Result]) -> Callable[Params, Result]:
    """Register a function of an app's jobs.py, so that `enqueue` takes it and the worker finds it by its name."""
    REGISTRY[name_of(function)] = function
    return function


def enqueue[*Args](function: Callable[[*Args], object], *args: *Args) -> None:
    """Make a job part of the caller's transaction: a worker calls `function(*args)` after the commit.

    The arguments fit into JSON. What the function writes to the database is one transaction with the mark that it is
    done, so it counts once, however often it was tried. Raises LookupError when the function is no `@job`.
    """
    # Not above: apps import this module before their models are loaded.
    from .models import Job
    from .tasks import publish

    name = name_of(function)
    if name not in REGISTRY:
        raise LookupError(f"{name} is no job: put @job above it, in the jobs.py of an installed app")
    row = Job.objects.create(name=name, args=args)
    transaction.on_commit(partial(publish, row.pk))


def name_of(function: Callable[..., object]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
