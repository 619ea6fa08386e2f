"""Who may speak to whom, and with which rights: in the cluster and in deploy/compose.yaml."""

import json
from pathlib import Path

import pytest

from tests.support.cluster import BASE, DEPLOY, GPU, Manifest, Peer, Policies, containers, find, pod_of, read, render

CLUSTER = render(BASE)
POLICIES = Policies(CLUSTER)
(COMPOSE,) = read(DEPLOY / "compose.yaml")
OURS = ("adapter", "server", "triton")

WORLD = Peer(address="203.0.113.7")
STRANGER = Peer({"app.kubernetes.io/name": "another"})
ELSEWHERE = Peer({"app.kubernetes.io/name": "server"}, namespace="default")  # Its labels are ours, its namespace not.
PROMETHEUS = Peer(namespace="monitoring")
CALLER = Peer({"clearcanvas/caller": "true"})
ADAPTER, SERVER, TRITON = (Peer({"app.kubernetes.io/name": name}) for name in OURS)
STORES = Peer(namespace="stores", namespace_labels={"clearcanvas/stores": "true"})
INSIDE = Peer(address="10.1.2.3")
CLOUD_METADATA = Peer(address="169.254.169.254")


def workloads(manifests: list[Manifest]) -> list[Manifest]:
    return [manifest for manifest in manifests if pod_of(manifest)]


@pytest.mark.case("C1")
@pytest.mark.parametrize("source", [WORLD, STRANGER, ELSEWHERE, PROMETHEUS, CALLER, ADAPTER, TRITON])
def test_only_the_server_reaches_triton(source: Peer) -> None:
    assert POLICIES.allow(SERVER, TRITON, 8400)
    assert not POLICIES.allow(source, TRITON, 8400)
    assert not any(POLICIES.allow(TRITON, other, port) for other in (SERVER, ADAPTER, WORLD) for port in (443, 8401))


@pytest.mark.case("C1")
def test_only_the_adapter_faces_the_world() -> None:
    assert POLICIES.allow(WORLD, ADAPTER, 8402)
    assert not any(POLICIES.allow(WORLD, peer, port) for peer in (SERVER, TRITON) for port in range(8000, 8500))
    services = [manifest for manifest in CLUSTER if manifest["kind"] == "Service"]
    assert {service["spec"].get("type", "ClusterIP") for service in services} == {"ClusterIP"}
    ingresses = [manifest for manifest in CLUSTER if manifest["kind"] == "Ingress"]
    paths = [path for one in ingresses for rule in one["spec"]["rules"] for path in rule["http"]["paths"]]
    assert [path["backend"]["service"]["name"] for path in paths] == ["adapter"]
    for workload in workloads(CLUSTER):
        assert not any("hostPort" in port for one in containers(workload) for port in one.get("ports", ()))
        assert not pod_of(workload)["spec"].get("hostNetwork")


@pytest.mark.case("C2")
def test_the_adapter_may_call_for_pictures_and_jobs_and_control_nothing() -> None:
    assert POLICIES.allow(ADAPTER, SERVER, 8401)
    callers = find(CLUSTER, "ConfigMap", "server")["data"]["CLEARCANVAS_CALLERS"]
    inside = COMPOSE["services"]["server"]["environment"]["CLEARCANVAS_CALLERS"]
    for text in (callers, inside):
        assert json.loads(text) == {"adapter": ["ImageService", "JobService"], "operator": ["*"]}
    for manifest in workloads(CLUSTER):
        given = [one["secret"]["secretName"] for one in pod_of(manifest)["spec"]["volumes"] if "secret" in one]
        name = manifest["metadata"]["name"]
        assert given == ([] if name == "triton" else [f"{name}-tls"]), "each has its own certificate and no other's"


@pytest.mark.case("O7")
@pytest.mark.parametrize(("target", "port"), [(ADAPTER, 8412), (SERVER, 8411), (TRITON, 8002)])
def test_metrics_are_for_prometheus_alone(target: Peer, port: int) -> None:
    assert POLICIES.allow(PROMETHEUS, target, port)
    assert not any(POLICIES.allow(source, target, port) for source in (WORLD, STRANGER, CALLER, INSIDE))
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert published == ["${PUBLISH:-127.0.0.1:8402}:8402"]


@pytest.mark.parametrize("program", [ADAPTER, SERVER])
def test_pictures_by_url_and_webhooks_reach_the_world_and_nothing_private(program: Peer) -> None:
    assert POLICIES.allow(program, WORLD, 443)
    assert POLICIES.allow(program, STORES, 5432)
    private = (CLOUD_METADATA, INSIDE, STRANGER, Peer(address="fd00::1"), Peer(address="::ffff:10.0.0.1"))
    assert not any(POLICIES.allow(program, peer, port) for peer in private for port in (80, 443))
    assert not POLICIES.allow(program, WORLD, 22)


@pytest.mark.case("C6")
@pytest.mark.parametrize("folder", [BASE, GPU], ids=["base", "gpu"])
def test_containers_have_no_rights(folder: Path) -> None:
    for workload in workloads(render(folder)):
        spec = pod_of(workload)["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in containers(workload):
            rights = {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["securityContext"] == rights, container["name"]
            assert "memory" in container["resources"]["limits"], container["name"]


@pytest.mark.case("C6")
def test_services_of_one_machine_have_no_rights() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        root = service.get("user", "").startswith(("0", "root"))
        assert not root or service["network_mode"] == "none", f"{name} runs as root and can be reached"


@pytest.mark.case("C1")
def test_on_one_machine_triton_is_alone_with_the_server() -> None:
    networks = {name: set(service.get("networks", ())) for name, service in COMPOSE["services"].items()}
    assert networks["triton"] == {"models"}
    assert [name for name, joined in networks.items() if "models" in joined] == ["server", "triton"]
    assert [name for name, joined in networks.items() if "world" in joined] == ["adapter"]
    assert {name for name, network in COMPOSE["networks"].items() if not network} == {"world", "hooks"}


def test_every_triton_is_known_to_the_servers() -> None:
    replicas = find(CLUSTER, "StatefulSet", "triton")["spec"]["replicas"]
    known = find(CLUSTER, "ConfigMap", "server")["data"]["CLEARCANVAS_TRITON"]
    assert known == ",".join(f"triton-{number}.triton:8400" for number in range(replicas))


def test_shared_memory_is_sized() -> None:
    for name in ("server", "triton"):
        volumes = pod_of(find(CLUSTER, "StatefulSet", name))["spec"]["volumes"]
        (shm,) = (volume["emptyDir"] for volume in volumes if volume["name"] == "shm")
        assert shm == {"medium": "Memory", "sizeLimit": "1Gi"}
        assert COMPOSE["services"][name]["shm_size"] == "1g"


@pytest.mark.parametrize("name", OURS)
def test_each_part_survives_a_drained_node(name: str) -> None:
    assert find(CLUSTER, "PodDisruptionBudget", name)["spec"]["maxUnavailable"] == 1
    scaled = [one for one in CLUSTER if one["kind"] == "HorizontalPodAutoscaler" and one["metadata"]["name"] == name]
    fewest = scaled[0]["spec"]["minReplicas"] if scaled else find(CLUSTER, "StatefulSet", name)["spec"]["replicas"]
    assert fewest >= 2
    kind = "Deployment" if name == "adapter" else "StatefulSet"
    for container in pod_of(find(CLUSTER, kind, name))["spec"]["containers"]:
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
