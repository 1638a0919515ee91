"""The Prometheus text of a running engine."""

import re

from django_rivet.server.thread import ServerThread
from raw_client import connect

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+="[^"\n]*"(?:,[a-z]+="[^"\n]*")*)\})? ([0-9.e+-]+)')


def scrape(text: str) -> dict[str, float]:
    """Reads the text strictly: each sample belongs to the family named before it, and comes once."""
    family, samples = "", {}
    for line in text.splitlines():
        if line.startswith("#"):
            mark, kind, family, *_ = line.split(" ")
            assert kind in ("HELP", "TYPE"), line
        else:
            found = SAMPLE.fullmatch(line)
            assert found and re.sub("_(bucket|sum|count)$", "", found.group(1)) == family
            key = f"{found.group(1)}{{{found.group(2) or ''}}}"
            assert key not in samples
            samples[key] = float(found.group(3))
    return samples


def test_requests_are_counted_by_route_and_status():
    def setup(reactor):
        reactor.native([("GET", "/items/{name}", lambda name: {"name": name}, "sync")])
        reactor.fallback(lambda request: request.respond(503, [], b"busy"))

    async def text(server):
        return server.reactor.metrics()

    with ServerThread(setup) as server, connect((server.host, server.port)) as client:
        for number in range(5):
            client.get(f"/items/{number}")
        client.get("/other")
        samples = scrape(server.call(text(server)))
    counts = {key: value for key, value in samples.items() if key.startswith("rivet_request_seconds_count")}
    native = [value for key, value in counts.items() if 'route="/items/{name}"' in key and 'status="2xx"' in key]
    assert native == [5]
    assert sum(counts.values()) == 6
    assert [value for key, value in counts.items() if 'status="5xx"' in key] == [1]
    for key, value in counts.items():
        top = key.replace("_count{", "_bucket{").removesuffix("}") + ',le="+Inf"}'
        assert samples[top] == value
    assert samples["rivet_accepted_connections_total{}"] == 1
