"""Native handlers of installed apps: found, checked, served."""

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.test import override_settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from django_rivet.discovery import discover, native_routes
from django_rivet.origin import origin_check
from server import get, serve


def paths():
    return [(route.method, route.path) for route in discover()]


def test_no_app_no_routes():
    assert paths() == []


@override_settings(INSTALLED_APPS=["django.contrib.contenttypes", "apps.clash", "django_rivet"])
def test_the_api_module_of_each_app_is_found():
    assert paths() == [("GET", "/orders/{other}"), ("POST", "/orders/{other}")]


@override_settings(INSTALLED_APPS=["apps.orders", "apps.clash", "django_rivet"])
def test_an_api_that_two_modules_know_counts_once():
    assert sorted(paths()) == [
        ("GET", "/orders/{number}"),
        ("GET", "/orders/{other}"),
        ("POST", "/orders/{other}"),
        ("WEBSOCKET", "/orders/live"),
    ]


@override_settings(INSTALLED_APPS=["apps.orders", "apps.clash", "django_rivet"])
def test_two_routes_for_the_same_requests_are_a_system_check():
    errors = [error for error in run_checks() if error.id == "django_rivet.E001"]
    assert len(errors) == 1
    text = str(errors[0])
    assert "apps/orders/api.py:" in text and "apps/clash/api.py:" in text
    assert "GET /orders/{number}" in text and "GET /orders/{other}" in text


@override_settings(INSTALLED_APPS=["apps.clash", "django_rivet"])
def test_no_conflict_no_message():
    assert [error for error in run_checks() if error.id.startswith("django_rivet.")] == []


@override_settings(INSTALLED_APPS=["apps.broken", "django_rivet"])
def test_a_mistake_in_an_api_module_is_not_hidden():
    with pytest.raises(ImportError, match="a mistake in the project"):
        discover()


def test_django_knows_the_app():
    assert apps.get_app_config("django_rivet").verbose_name == "Rivet"


@override_settings(INSTALLED_APPS=["apps.orders", "django_rivet"])
def test_found_routes_are_served_and_sockets_guarded():
    routes = [route for route in native_routes(origin_check()) if route[2].__name__ != "clash"]
    with serve(setup=lambda reactor: reactor.native(routes)) as server:
        response, body = get(server, "/orders/7")
        assert (response.status, body) == (200, b'{"number":"7"}')
        with connect(server.url("/orders/live")) as client:
            assert client.recv(10) == "hello"
        with pytest.raises(InvalidStatus) as caught, connect(server.url("/orders/live"), origin="https://evil.test"):
            pass
        assert caught.value.response.status_code == 403
