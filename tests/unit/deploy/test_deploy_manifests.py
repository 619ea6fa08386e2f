"""The files of deploy/ are what their tools take, and name nothing that is not there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from server.metrics import REGISTRY
from tests.support.cluster import BASE, DEPLOY, GPU, ROOT, containers, find, pod_of, read, read_env, render

TOOLS = Path(sys.executable).parent
MADE_BY_OPERATORS = {"adapter-stores", "adapter-payments", "server-stores"}


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_passes_its_linter() -> None:
    run(TOOLS / "hadolint", "Dockerfile")


def test_the_yaml_passes_its_linter() -> None:
    run(TOOLS / "yamllint", "-c", DEPLOY / ".yamllint.yaml", *DEPLOY.glob("*.yaml"), DEPLOY / "kubernetes")


@pytest.mark.parametrize("folder", [BASE, GPU], ids=["base", "gpu"])
def test_the_cluster_takes_what_is_rendered(folder: Path, tmp_path: Path) -> None:
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(yaml.safe_dump_all(render(folder)))
    run(TOOLS / "kubernetes-validate", "--strict", "--quiet", rendered)


def test_what_a_pod_refers_to_is_there() -> None:
    cluster = render(BASE)
    for manifest in cluster:
        for container in containers(manifest):
            for source in container.get("envFrom", ()):
                if "configMapRef" in source:
                    find(cluster, "ConfigMap", source["configMapRef"]["name"])
                else:
                    assert source["secretRef"]["name"] in MADE_BY_OPERATORS
            volumes = {volume["name"] for volume in pod_of(manifest)["spec"].get("volumes", ())}
            volumes |= {claim["metadata"]["name"] for claim in manifest["spec"].get("volumeClaimTemplates", ())}
            assert {mount["name"] for mount in container.get("volumeMounts", ())} <= volumes
        if manifest["kind"] == "HorizontalPodAutoscaler":
            find(cluster, manifest["spec"]["scaleTargetRef"]["kind"], manifest["spec"]["scaleTargetRef"]["name"])


def test_operators_are_told_of_every_secret() -> None:
    told = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    for secret in (*MADE_BY_OPERATORS, "adapter-tls", "server-tls", "adapter-public-tls"):
        assert secret in told, secret


@pytest.mark.parametrize("program", ["adapter", "server"])
def test_settings_are_those_that_the_program_has(program: str) -> None:
    known = set()
    for path in ("adapter/config.py", "adapter/sale/settings.py", "server/config.py", "telemetry/settings.py",
                 "transport/settings.py"):  # fmt: skip
        if not path.startswith("server" if program == "adapter" else "adapter"):
            known |= set(re.findall(r"^    (\w+): ", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE))
    (compose,) = read(DEPLOY / "compose.yaml")
    given = {name for name, _ in read_env(BASE / f"{program}.env")} | set(compose["services"][program]["environment"])
    assert {name.removeprefix("CLEARCANVAS_").lower() for name in given if name.startswith("CLEARCANVAS_")} <= known


def test_the_autoscaler_asks_for_what_the_server_counts() -> None:
    counted = {metric.name for metric in REGISTRY.collect()}
    (values,) = read(DEPLOY / "kubernetes" / "prometheus-adapter.yaml")
    rules = values["rules"]["custom"]
    assert (
        set(
            re.findall(r"clearcanvas_server_\w+", "".join(rule["seriesQuery"] + rule["metricsQuery"] for rule in rules))
        )
        <= counted
    )
    offered = {rule.get("name", {}).get("as") or rule["seriesQuery"].partition("{")[0] for rule in rules}
    metrics = find(render(BASE), "HorizontalPodAutoscaler", "server")["spec"]["metrics"]
    assert {metric["pods"]["metric"]["name"] for metric in metrics} == offered
