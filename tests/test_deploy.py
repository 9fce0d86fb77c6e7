"""The deployment files, read as the tools that run them would: they parse, agree with the code and stay closed."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / "k8s" / "base"
COMPOSE = ROOT / "docker-compose.yml"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
YAML_FILES = sorted([COMPOSE, *(ROOT / "deploy").rglob("*.yml"), *(ROOT / "k8s").rglob("*.yaml")])
TELEMETRY_PORT = 9464
PREFIX = "BILLTIDE_"
VARIABLE = re.compile(rf"\b{PREFIX}[A-Z0-9_]+")
SELECTED = {"app.kubernetes.io/name": "billtide", "app.kubernetes.io/component": "worker"}


def name_of(path: Path) -> str:
    """Path below the root, for test ids."""
    return str(path.relative_to(ROOT))


def manifests() -> dict[str, dict[str, Any]]:
    """The base's own manifests by kind."""
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    loaded = [yaml.safe_load((BASE / name).read_text()) for name in listed]
    return {each["kind"]: each for each in loaded}


def without_comments(text: str) -> str:
    """Text of a YAML, env or Docker file without what follows a hash sign."""
    return re.sub(r"(^|\s)#.*", "", text)


def variables() -> set[str]:
    """Every billtide variable that a deployment file sets."""
    files = [*YAML_FILES, ROOT / "Dockerfile", *BASE.glob("*.env")]
    return {name for file in files for name in VARIABLE.findall(without_comments(file.read_text()))}


@pytest.mark.parametrize("path", YAML_FILES, ids=name_of)
def test_yaml_parses(path: Path) -> None:
    """Each file is YAML with something in it."""
    assert all(yaml.safe_load_all(path.read_text()))


def test_every_variable_is_a_setting() -> None:
    """A variable no setting reads would be ignored without a word."""
    found = variables()
    assert PREFIX + "KAFKA_BOOTSTRAP" in found
    assert importlib.util.find_spec("billtide.app.settings"), "billtide.app.settings is missing"
    settings = importlib.import_module("billtide.app.settings").Settings
    known = {PREFIX + field.upper() for field in settings.model_fields}
    unknown = {name for name in found if name.split("__")[0] not in known}
    assert not unknown, f"not in app/settings.py: {sorted(unknown)}"


def deployed_values() -> dict[str, dict[str, str]]:
    """Variables and values by where a worker gets them."""
    pairs = [line.partition("=") for line in (BASE / "worker.env").read_text().splitlines()]
    image = re.findall(rf"({PREFIX}[A-Z_]+)=(\S+)", (ROOT / "Dockerfile").read_text())
    compose = yaml.safe_load(COMPOSE.read_text())["services"]["worker"]["environment"]
    return {"k8s": {name: value for name, _, value in pairs}, "compose": dict(image) | compose}


@pytest.mark.parametrize("where", ["k8s", "compose"])
def test_deployed_values_are_accepted(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's own checks pass on what the files set: a wrong value would stop it at its start."""
    for name, value in deployed_values()[where].items():
        monkeypatch.setenv(name, str(value))
    settings = importlib.import_module("billtide.app.settings").Settings()
    assert settings.telemetry_port == TELEMETRY_PORT
    assert settings.telemetry_host == "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the container


def test_images_are_pinned() -> None:
    """No image floats: a tag with a number or a digest everywhere."""
    text = (ROOT / "Dockerfile").read_text()
    images = [service["image"] for service in yaml.safe_load(COMPOSE.read_text())["services"].values()]
    images += re.findall(r"^ARG PYTHON_IMAGE=(\S+)", text, re.MULTILINE)
    assert len(images) > 1
    for image in images:
        assert re.search(r":v?\d+\.\d+\.\d+\S*$|@sha256:", image), f"{image} is not pinned"
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_our_image_carries_the_version_of_the_package() -> None:
    """Compose, kustomize and the image label name the version that pyproject does."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    assert kustomization["images"] == [{"name": "billtide", "newTag": version}]
    assert yaml.safe_load(COMPOSE.read_text())["services"]["worker"]["image"] == f"billtide:{version}"
    assert f'version="{version}"' in (ROOT / "Dockerfile").read_text()


def test_compose_runs_the_broker_the_code_runs() -> None:
    """One version of Kafka: what the tests prove is what compose starts."""
    broker_docker = importlib.import_module("billtide.app.broker_docker")
    assert yaml.safe_load(COMPOSE.read_text())["services"]["kafka"]["image"] == broker_docker.IMAGE


def test_compose_ports_are_on_loopback() -> None:
    """Nothing of the development stack is open to the network."""
    for name, service in yaml.safe_load(COMPOSE.read_text())["services"].items():
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), f"{name} opens {port}"


def test_compose_waits_for_what_it_needs() -> None:
    """The worker starts after the topics, the topics after a healthy broker; services others wait for have a check."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert services["topics"]["command"] == ["topics", "create"]
    assert services["worker"]["depends_on"]["topics"]["condition"] == "service_completed_successfully"
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert services[needed]["healthcheck"]["test"], f"{needed} has no healthcheck"


def test_compose_mounts_files_that_exist() -> None:
    """Docker makes an empty directory of a mount source that is misspelt."""
    for service in yaml.safe_load(COMPOSE.read_text())["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (ROOT / source).exists(), f"{source} does not exist"


def test_the_image_is_built_from_files_that_exist() -> None:
    """Each COPY source is there and passes .dockerignore, and the process is not root."""
    text = (ROOT / "Dockerfile").read_text()
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), f"{source} does not exist"
            assert source in let_in, f"{source} is kept out by .dockerignore"
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)


def test_probes_ask_the_telemetry_port() -> None:
    """Each probe asks its own path on the port that the settings open."""
    container = manifests()["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]
    assert container["ports"] == [{"name": "telemetry", "containerPort": TELEMETRY_PORT}]
    paths = {"livenessProbe": "/livez", "readinessProbe": "/readyz", "startupProbe": "/startupz"}
    for probe, path in paths.items():
        assert container[probe]["httpGet"] == {"path": path, "port": "telemetry"}
    assert f"{PREFIX}TELEMETRY_PORT={TELEMETRY_PORT}" in (BASE / "worker.env").read_text()
    assert f":{TELEMETRY_PORT}/livez" in (ROOT / "Dockerfile").read_text()


def test_pods_meet_the_restricted_standard() -> None:
    """Not root, no privilege, no capabilities, a read-only root, no token of the cluster."""
    pod = manifests()["StatefulSet"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]


def test_the_instance_is_named_after_its_pod() -> None:
    """A stable pod name becomes the instance id, so that a restarted worker keeps its partitions."""
    container = manifests()["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]
    env = {entry["name"]: entry for entry in container["env"]}
    assert env["POD_NAME"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert env[f"{PREFIX}INSTANCE_ID"]["value"] == "$(POD_NAME)"


def test_selectors_meet_the_workers() -> None:
    """Budget, network policy, monitor and spread select the labels that kustomize puts on the pods."""
    kinds = manifests()
    assert kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == SELECTED
    assert kinds["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == SELECTED
    assert kinds["PodMonitor"]["spec"]["selector"]["matchLabels"] == SELECTED
    spread = kinds["StatefulSet"]["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert all(constraint["labelSelector"]["matchLabels"] == SELECTED for constraint in spread)
    labels = yaml.safe_load((BASE / "kustomization.yaml").read_text())["labels"]
    assert {"pairs": SELECTED, "includeSelectors": True} in labels


def test_the_network_is_closed_by_default() -> None:
    """Both directions are named, and each rule names its peers and ports."""
    spec = manifests()["NetworkPolicy"]["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["from"] and rule["ports"] for rule in spec["ingress"])
    assert all(rule["to"] and rule["ports"] for rule in spec["egress"])


@pytest.mark.long
def test_kustomize_builds_the_base() -> None:
    """The real tool joins the files, and the workers read the generated settings."""
    assert shutil.which("kubectl"), "the long suite needs kubectl; install it"
    command = ["kubectl", "kustomize", str(BASE)]
    built = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    by_kind = {each["kind"]: each for each in yaml.safe_load_all(built)}
    assert set(by_kind) == {*manifests(), "ConfigMap"}
    container = by_kind["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == [{"configMapRef": {"name": by_kind["ConfigMap"]["metadata"]["name"]}}]
    assert by_kind["StatefulSet"]["spec"]["selector"]["matchLabels"] == SELECTED


@pytest.mark.parametrize("path", DASHBOARDS, ids=name_of)
def test_dashboards_ask_for_metrics_of_ours(path: Path) -> None:
    """Every panel has a title, a place, the provisioned data source, and asks for billtide's metrics."""
    source = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    uid = source["datasources"][0]["uid"]
    board = json.loads(path.read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["datasource"]["uid"] == uid
        for target in panel["targets"]:
            assert re.search(r"\bbilltide_[a-z_]+", target["expr"]), f"{panel['title']} asks for no metric of ours"
            assert target["expr"].count("(") == target["expr"].count(")")


def test_prometheus_scrapes_the_worker() -> None:
    """The scrape job asks the worker's telemetry port."""
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())["scrape_configs"]
    found = [config for job in jobs for config in job["dns_sd_configs"]]
    assert [(config["names"], config["port"]) for config in found] == [(["worker"], TELEMETRY_PORT)]
