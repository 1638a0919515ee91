"""docs/metrics.md: its command is run, and its rules for Prometheus ask only for what the server answers."""

import re
import urllib.request
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as families

from process_server import Server
from test_metrics import metrics_port
from waiting import until

PAGE = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
PROMETHEUS, RULES = (yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S))
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}

# The values of each label of each series.
type Series = dict[str, dict[str, set[str]]]


def series(server: Server) -> Series:
    found: Series = {}
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port(server)}/metrics", timeout=30) as answer:
        for family in families(answer.read().decode()):
            for sample in family.samples:
                labels = found.setdefault(sample.name, {})
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)
    return found


@pytest.fixture(scope="module")
def answered() -> Any:
    """What the page's command answers after a request that went well and one that failed."""
    [flags] = re.findall(r"^    python manage\.py runrivet (.*)$", PAGE, re.M)
    with Server(*flags.replace(":9100", ":0").split()) as server:
        assert server.get("/native/async/a")[0] == 200
        assert server.get("/native/hang/no-number")[0] == 500
        yield until(
            lambda: (found := series(server))["rivet_request_seconds_count"]["status"] >= {"2xx", "5xx"} and found,
            "both are counted",
        )


def nodes(expression: promql.Expr) -> list[Any]:
    found: list[Any] = []
    promql.walk(expression, found.append)
    return found


def selectors(expression: promql.Expr) -> list[promql.VectorSelector]:
    return [node for node in nodes(expression) if isinstance(node, promql.VectorSelector)]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_asks_for_what_there_is(name: str, answered: Series) -> None:
    expression = promql.parse(ALERTS[name]["expr"])
    assert selectors(expression)
    for selector in selectors(expression):
        assert selector.name in answered
        for matcher in selector.matchers.matchers:
            assert set(matcher.value.split("|")) <= answered[selector.name].get(matcher.name, set()), str(matcher)
    for node in nodes(expression):
        if isinstance(node, promql.AggregateExpr) and node.modifier:
            for selector in selectors(node.expr):
                assert set(node.modifier.labels) <= answered[selector.name].keys()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_tells_by_labels_that_it_has(name: str, answered: Series) -> None:
    """Prometheus leaves the place of another label empty."""
    rule = ALERTS[name]
    assert rule.keys() == {"alert", "expr", "annotations"}
    told = set(re.findall(r"{{ \$labels\.(\w+) }}", rule["annotations"]["summary"]))
    expression = promql.parse(rule["expr"])
    sums = [node for node in nodes(expression) if isinstance(node, promql.AggregateExpr)]
    kept = [set(each.modifier.labels if each.modifier else ()) for each in sums]
    assert told <= set.intersection(*kept or [set(answered[each.name]) for each in selectors(expression)])


def test_prometheus_reads_the_rules_where_containers_answer() -> None:
    assert re.search(r"rule_files: \[(.*)\]", PAGE)[1] == re.search(r"^# (\S+)\ngroups:", PAGE, re.M)[1]  # type: ignore[index]
    [job] = PROMETHEUS["scrape_configs"]
    [found] = job["dns_sd_configs"]
    assert f"`RIVET_METRICS=0.0.0.0:{found['port']}`" in PAGE
    assert "metrics_path" not in job  # it is Prometheus' own: /metrics


def test_the_page_names_what_there_is(answered: Series) -> None:
    written = set(re.findall(r"\b(?:rivet|process)_[a-z_]+", PAGE)) - {"rivet_"}
    family = re.compile("_(count|sum|bucket)$")
    assert {family.sub("", name) for name in written} == {family.sub("", name) for name in answered}
