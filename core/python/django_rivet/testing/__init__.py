"""Test clients: requests, WebSockets and event streams through the engine itself, in this process (docs/testing.md)."""

from django_rivet.testing.async_client import AsyncClient
from django_rivet.testing.client import Client
from django_rivet.testing.events import Event
from django_rivet.testing.response import Response
from django_rivet.testing.websocket import Denied

__all__ = ["AsyncClient", "Client", "Denied", "Event", "Response"]
