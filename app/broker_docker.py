"""A Kafka broker as a container of a running Docker engine, driven through the docker command."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from .broker_config import HOST, KAFKA_VERSION, BrokerUnavailable, properties

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
ENGINE_SECONDS = 10
RUN_SECONDS = 600  # the first run downloads the image
STOP_SECONDS = 30
CONTROLLER_PORT = 9093  # inside the container only
DATA = "/var/lib/kafka/data"
HEAP = "-Xmx768m -Xms256m"


def engine_runs() -> bool:
    """Whether a Docker engine answers; the docker command alone is not enough."""
    if shutil.which("docker") is None:
        return False
    try:
        answer = _docker("info", "--format", "{{.ServerVersion}}", seconds=ENGINE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0


def container_name(data_dir: Path) -> str:
    """One container and one volume per data directory, found again by later processes."""
    return "billtide-kafka-" + hashlib.blake2b(str(data_dir).encode(), digest_size=6).hexdigest()


def run_command(data_dir: Path, port: int) -> list[str]:
    """Arguments of `docker run`; the same port inside and outside, so that one advertised address serves both sides."""
    name = container_name(data_dir)
    settings = properties(port, CONTROLLER_PORT, bind="0.0.0.0", data=DATA)  # noqa: S104 - inside the container
    command = ["run", "--detach", "--rm", "--name", name]
    command += ["--publish", f"{HOST}:{port}:{port}", "--volume", f"{name}:{DATA}"]
    for key, value in settings.items():
        command += ["--env", f"KAFKA_{key.upper().replace('.', '_')}={value}"]
    return [*command, "--env", f"KAFKA_HEAP_OPTS={HEAP}", IMAGE]


def run(data_dir: Path, port: int) -> str:
    """Start the container and give its name."""
    _docker("rm", "--force", container_name(data_dir), seconds=STOP_SECONDS)  # what a failed start left behind
    answer = _docker(*run_command(data_dir, port), seconds=RUN_SECONDS)
    if answer.returncode:
        raise BrokerUnavailable(
            f"docker could not run {IMAGE}: {answer.stderr.strip()}; try `docker pull {IMAGE}` by hand, "
            "or set BILLTIDE_KAFKA_BOOTSTRAP to a broker that runs"
        )
    return container_name(data_dir)


def is_running(container: str) -> bool:
    """Whether the engine still has the container up."""
    answer = _docker("inspect", "--format", "{{.State.Running}}", container, seconds=ENGINE_SECONDS)
    return answer.returncode == 0 and answer.stdout.strip() == "true"


def stop(container: str) -> None:
    """Shut down in order; `--rm` removes the container, the volume keeps the data."""
    _docker("stop", "--time", str(STOP_SECONDS), container, seconds=2 * STOP_SECONDS)


def kill(container: str) -> None:
    """Kill at once, as a crash would."""
    _docker("kill", container, seconds=ENGINE_SECONDS)
    _docker("wait", container, seconds=STOP_SECONDS)  # until --rm has freed the name; fails when it already has


def remove_data(data_dir: Path) -> None:
    """Delete the volume."""
    _docker("volume", "rm", "--force", container_name(data_dir), seconds=STOP_SECONDS)


def last_lines(container: str, count: int) -> str:
    """End of the container's log, for an error message."""
    answer = _docker("logs", "--tail", str(count), container, seconds=ENGINE_SECONDS)
    return (answer.stdout + answer.stderr).strip()


def _docker(*arguments: str, seconds: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=seconds, check=False)
