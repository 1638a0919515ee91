"""An app whose routes take the same requests as another's."""

from django_rivet import API

shared = API()


@shared.get("/orders/{other}")
def clash(other: str) -> str:
    """Declared twice, under another name of the parameter."""
    return other


@shared.post("/orders/{other}")
def no_clash(other: str) -> str:
    """Another method."""
    return other
