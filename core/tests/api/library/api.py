"""Routers of an app: one that is served, one that was forgotten."""

from django_rivet import API, Router

api = API("/library")
used = Router("/used")
forgotten = Router("/forgotten")
api.include(used)


@used.get("")
@forgotten.get("")
async def handler() -> str:
    """Says so."""
    return "used"
