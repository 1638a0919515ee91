"""Other providers in place of the declared ones, for tests."""

import contextlib
from collections.abc import Iterator, Mapping

from django_rivet.api.route import Handler


class Overrides(dict[Handler, Handler]):
    """What stands in for providers, in the whole process.

        with api.overrides({current_user: lambda: alice}):
            ...

    Calling it sets more of them for the time of a `with` block; it is also a dict, for who sets them by hand. A
    substitute is a provider like any other. Routes without `Depends` never look here.
    """

    @contextlib.contextmanager
    def __call__(self, substitutes: Mapping[Handler, Handler]) -> Iterator[None]:
        before = dict(self)
        self.update(substitutes)
        try:
            yield
        finally:
            self.clear()
            self.update(before)


OVERRIDES = Overrides()
