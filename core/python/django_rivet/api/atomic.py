"""A handler in a transaction."""

import functools
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction

from django_rivet.api.made import Made, unwind
from django_rivet.api.route import Handler


def atomic(handler: Handler, database: bool | str, settle: Any) -> Handler:
    """The handler, its providers and the conversion of its value within `transaction.atomic()`.

    database: its alias; True is the default one.
    """
    using = DEFAULT_DB_ALIAS if database is True else str(database)

    def transacted(*request: Any, **path: str) -> Any:
        value = None
        try:
            with transaction.atomic(using=using):
                value = handler(*request, **path)
                return settle.converted(value)
        except BaseException as error:
            if isinstance(value, Made) and value.stack is not None:
                unwind(value.stack, error)  # type: ignore[arg-type]  # of a `def` handler
            raise

    return functools.update_wrapper(transacted, handler)
