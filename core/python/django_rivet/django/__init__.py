"""Django's own views on the engine."""

from .handler import DjangoHandler
from .inline import blocking, inline
from .pool import Pool

__all__ = ["DjangoHandler", "Pool", "blocking", "inline"]
