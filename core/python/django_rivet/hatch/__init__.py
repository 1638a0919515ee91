"""The escape hatch: native handlers under other servers, slower but equal (docs/servers.md).

`django_rivet.urls` has them as Django URL patterns; `NativeApplication` gives their WebSockets to ASGI servers.
"""

from django_rivet.hatch.application import NativeApplication

__all__ = ["NativeApplication"]
