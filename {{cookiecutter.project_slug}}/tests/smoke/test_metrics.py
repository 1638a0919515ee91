"""Metrics: for Prometheus on the network `data`, and for nobody outside."""

import os

import stack
from visitor import Visitor

READ = """
import urllib.request
with urllib.request.urlopen("http://web:9100/metrics", timeout=10) as answer:
    print(answer.read().decode())
"""


def test_they_are_answered_on_the_data_network() -> None:
    if os.environ.get("WEB_SERVER", "rivet") == "rivet":
        text = stack.docker("exec", stack.containers("worker")[0]["Id"], "python", "-c", READ)
        assert "rivet_build_info{" in text
        assert 'route="/health/ready"' in text, "the containers' own health checks are counted"


def test_strangers_do_not_get_them(stranger: Visitor) -> None:
    for path in ("/metrics", "/metrics/", "/web:9100/metrics"):
        answer = stranger.get(path)
        assert answer.status_code == 404
        assert "rivet_" not in answer.text
