"""The manifests of deploy/ as a cluster would have them, and what their network policies let through."""

import copy
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BASE, GPU = DEPLOY / "kubernetes" / "base", DEPLOY / "kubernetes" / "gpu"

Manifest = dict[str, Any]


def read(path: Path) -> list[Manifest]:
    """The documents of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def render(folder: Path) -> list[Manifest]:
    """What `kubectl apply -k` sends, as far as this repository uses kustomize: resources, ConfigMaps, tags, patches.

    Raises KeyError or FileNotFoundError where a kustomization names what is not there.
    """
    (wanted,) = read(folder / "kustomization.yaml")
    manifests: list[Manifest] = []
    for name in wanted["resources"]:
        there = folder / name
        manifests += render(there) if there.is_dir() else read(there)
    for generated in wanted.get("configMapGenerator", ()):
        data = {key: value for name in generated.get("envs", ()) for key, value in read_env(folder / name)}
        data |= dict(line.split("=", 1) for line in generated.get("literals", ()))
        if generated.get("behavior") == "merge":
            find(manifests, "ConfigMap", generated["name"])["data"].update(data)
        else:
            metadata = {"name": generated["name"]}
            manifests.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    for patch in wanted.get("patches", ()):
        for change in read(folder / patch["path"]):
            merge(find(manifests, change["kind"], change["metadata"]["name"]), change)
    tags = {image["name"]: image["newTag"] for image in wanted.get("images", ())}
    for manifest in manifests:
        if (namespace := wanted.get("namespace")) and manifest["kind"] != "Namespace":
            manifest["metadata"]["namespace"] = namespace
        for container in containers(manifest) if tags else ():
            container["image"] += f":{tags[container['image']]}"
    return manifests


def read_env(path: Path) -> Iterator[tuple[str, str]]:
    """The variables of a file of lines NAME=VALUE."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value


def find(manifests: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """The one of that kind and name. Raises KeyError."""
    for manifest in manifests:
        if (manifest["kind"], manifest["metadata"]["name"]) == (kind, name):
            return manifest
    raise KeyError(f"there is no {kind} {name}")


def merge(into: Any, change: Mapping[str, Any]) -> None:
    """Kubernetes' strategic merge, of which lists whose items have names are all that is used here."""
    for key, value in change.items():
        there = into.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            merge(there, value)
        elif isinstance(value, list) and isinstance(there, list):
            for item in value:
                merge(next(one for one in there if one["name"] == item["name"]), item)
        else:
            into[key] = copy.deepcopy(value)


def pod_of(manifest: Manifest) -> Manifest:
    """The pod template of a workload; {} for what runs nothing."""
    template: Manifest = manifest.get("spec", {}).get("template", {})
    return template


def containers(manifest: Manifest) -> list[Manifest]:
    """All containers of a workload, those that run first among them."""
    spec = pod_of(manifest).get("spec", {})
    return [*spec.get("initContainers", ()), *spec.get("containers", ())]


@dataclass(frozen=True)
class Peer:
    """Who speaks or is spoken to: a pod by its labels, or an address outside of the cluster."""

    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = "clearcanvas"
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


class Policies:
    """What the NetworkPolicies of one namespace allow: both ends must, each by any policy that selects it."""

    def __init__(self, manifests: Iterable[Manifest], namespace: str = "clearcanvas") -> None:
        self._namespace = namespace
        self._specs = [manifest["spec"] for manifest in manifests if manifest["kind"] == "NetworkPolicy"]

    def allow(self, source: Peer, target: Peer, port: int) -> bool:
        """Whether `source` may open a TCP connection to that port of `target`."""
        return self._one_end("Egress", source, target, port) and self._one_end("Ingress", target, source, port)

    def _one_end(self, direction: str, end: Peer, other: Peer, port: int) -> bool:
        if end.address or end.namespace != self._namespace:
            return True  # No policy of ours speaks for it.
        mine = [
            spec for spec in self._specs
            if direction in spec["policyTypes"] and _matches(spec["podSelector"], end.labels)
        ]  # fmt: skip
        word = "to" if direction == "Egress" else "from"
        rules = [rule for spec in mine for rule in spec.get(direction.lower(), ())]
        return not mine or any(
            (not rule.get("ports") or any(_port(one, port) for one in rule["ports"]))
            and (not rule.get(word) or any(self._is(peer, other) for peer in rule[word]))
            for rule in rules
        )

    def _is(self, described: Manifest, peer: Peer) -> bool:
        if block := described.get("ipBlock"):
            if not peer.address:
                return False
            address = ipaddress.ip_address(peer.address)
            return address in ipaddress.ip_network(block["cidr"]) and not any(
                address in ipaddress.ip_network(left_out) for left_out in block.get("except", ())
            )
        if peer.address:
            return False
        if (selector := described.get("namespaceSelector")) is not None:
            right_namespace = _matches(
                selector, {"kubernetes.io/metadata.name": peer.namespace, **peer.namespace_labels}
            )
        else:
            right_namespace = peer.namespace == self._namespace
        return right_namespace and _matches(described.get("podSelector", {}), peer.labels)


def _port(described: Manifest, port: int) -> bool:
    return bool(described.get("protocol", "TCP") == "TCP" and described.get("port", port) == port)


def _matches(selector: Manifest, labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", ())
    assert all(one["operator"] == "In" for one in expressions), "this reader knows no other operator"
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(one["key"]) in one["values"] for one in expressions
    )
