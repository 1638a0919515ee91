"""What only `manage.py check` can know."""

from django.core.checks import Warning, run_checks

from django_rivet.discovery import discover


def test_a_router_that_nobody_includes():
    assert [(route.method, route.path) for route in discover()] == [("GET", "/library/used")]
    (message,) = [each for each in run_checks() if each.id.startswith("django_rivet.")]
    assert isinstance(message, Warning) and message.id == "django_rivet.W001"
    assert "library.api.forgotten" in message.msg
