"""The dashboard and the alerts speak of metrics that there are, and every alert is tried."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from adapter import metrics as adapter_metrics
from server import metrics as server_metrics

DEPLOY = Path(__file__).parents[3] / "deploy"
OF_PROMETHEUS = {"up"}  # Its own.


def sample_names(registry: CollectorRegistry) -> Iterator[str]:
    metric: Metric
    for metric in registry.collect():
        yield metric.name
        yield from {f"{metric.name}{end}" for end in ("_total", "_bucket", "_count", "_sum")}


def named_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:clearcanvas|process)_\w+|\bup\b(?=\{)", expression))


KNOWN = {*sample_names(server_metrics.REGISTRY), *sample_names(adapter_metrics.REGISTRY)} | OF_PROMETHEUS


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "clearcanvas.json").read_text())
    shown = {
        name
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
        for name in named_in(target["expr"])
    }

    assert shown - KNOWN == set()
    ours = {name for name in KNOWN if name.startswith("clearcanvas_") and not name.endswith(("_created", "_info"))}
    bases = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in shown}
    assert {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in ours} - bases == set(), "not on the dashboard"


def test_the_alerts_watch_metrics_that_there_are() -> None:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]

    for rule in (rule for group in groups for rule in group["rules"]):
        assert named_in(rule["expr"]) - KNOWN == set(), rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["action"]


def test_every_alert_is_tried() -> None:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    tests = yaml.safe_load((DEPLOY / "prometheus" / "alerts.test.yml").read_text())["tests"]
    tried = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}

    assert {rule["alert"] for group in groups for rule in group["rules"]} == tried


@pytest.mark.case("O6")
def test_the_alerts_fire_when_they_should_and_only_then() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")

    for command in (("check", "config", "prometheus.yml"), ("test", "rules", "alerts.test.yml")):
        done = subprocess.run(
            [promtool, *command], cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
