"""A Kafka broker as a Java process of this machine, from Apache Kafka's own jars."""

from __future__ import annotations

import base64
import fcntl
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .broker_config import HOST, KAFKA_VERSION, BrokerUnavailable, properties
from .processes import command_line, holds_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

JAVA_MIN = 17  # Kafka 4 servers need it
JAVA_SECONDS = 20
FETCH_SECONDS = 900
FORMAT_SECONDS = 120
STOP_SECONDS = 30
KILL_SECONDS = 10
POLL_SECONDS = 0.05
TAIL_CHARACTERS = 2_000  # of another program's output, in an error message
JARS = Path(__file__).with_name("broker_jars.xml")
LOG4J2 = Path(__file__).with_name("broker_log4j2.yaml")
HEAP = ("-Xmx768m", "-Xms256m")
HOW_TO_GET_ONE = (
    f"set BILLTIDE_KAFKA_BOOTSTRAP=host:port to use a broker that runs, or start a Docker engine, or install Java "
    f"{JAVA_MIN} or newer and Maven (Debian: `apt install openjdk-17-jre-headless maven`, "
    "macOS: `brew install openjdk@17 maven`)"
)

_log = logging.getLogger(__name__)
_children: dict[int, subprocess.Popen[bytes]] = {}  # processes of ours to reap; a later process finds them by id alone


def java() -> Path:
    """The java command of JAVA_HOME or PATH, if new enough."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(f"{home}/bin/java") if home else None
    command = found or shutil.which("java")
    if command is None:
        raise BrokerUnavailable(
            f"no Kafka broker: no Docker engine answers and Java is not installed; {HOW_TO_GET_ONE}"
        )
    answer = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=JAVA_SECONDS, check=False)
    match = re.search(r'version "(\d+)', answer.stderr)
    if match is None or int(match[1]) < JAVA_MIN:
        said = answer.stderr.strip().splitlines()
        raise BrokerUnavailable(
            f"no Kafka broker: {command} says {said[:1]}, Kafka needs Java {JAVA_MIN}; {HOW_TO_GET_ONE}"
        )
    return Path(command)


def jars() -> Path:
    """Directory of Kafka's jars; fetched once, whole or not at all, whoever comes first."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "billtide"
    target = cache / f"kafka-{KAFKA_VERSION}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with turn(cache / f"{target.name}.lock"):
        if not target.is_dir():
            _fetch(target)
    return target


def _fetch(target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerUnavailable(
            f"no Kafka broker: no Docker engine answers, and Maven to fetch Kafka is not installed; {HOW_TO_GET_ONE}"
        )
    _log.info("fetching Apache Kafka %s into %s, once", KAFKA_VERSION, target)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as scratch:
        whole = Path(scratch) / "jars"
        command = [maven, "-q", "-B", "-C", "-f", str(JARS), f"-Dkafka.version={KAFKA_VERSION}"]
        command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={whole}"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
        if answer.returncode:
            said = answer.stdout.strip()[-TAIL_CHARACTERS:]
            raise BrokerUnavailable(f"Maven could not fetch Apache Kafka {KAFKA_VERSION}: {said}; {HOW_TO_GET_ONE}")
        whole.rename(target)


@contextmanager
def turn(lock: Path) -> Iterator[None]:
    """Hold a file lock: one process at a time, released by the kernel if its holder dies."""
    with lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_formatted(data_dir: Path) -> bool:
    """Whether a local broker has made this data directory."""
    return (data_dir / "data" / "meta.properties").exists()


def launch(data_dir: Path, port: int, controller_port: int) -> int:
    """Run a broker that is a cluster by itself; gives its process id."""
    return run(data_dir, properties(port, controller_port, bind=HOST, data=str(data_dir / "data")))


def run(data_dir: Path, settings: Mapping[str, str], cluster: str = "", heap: Sequence[str] = HEAP) -> int:
    """Write the configuration, format the storage the first time, run the server; gives its process id.

    cluster: the id all nodes of a cluster share; without one a new id is made.
    """
    command, classpath = java(), f"{jars()}/*"
    logs = data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    _server_properties(data_dir).write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    common = [str(command), f"-Dlog4j2.configurationFile={LOG4J2}", f"-Dbilltide.broker.logs={logs}", "-cp", classpath]
    if not is_formatted(data_dir):
        _format(common, data_dir, cluster or cluster_id())
    arguments = [*common, "kafka.Kafka", str(_server_properties(data_dir))]
    arguments[1:1] = heap
    with (logs / "console.log").open("ab") as console:
        # A session of its own: Ctrl-C in the terminal must not take the broker down with the command.
        child = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True
        )
    _children[child.pid] = child
    return child.pid


def cluster_id() -> str:
    """A new cluster id."""
    raw = uuid.uuid4().bytes
    # The first bit is cleared so that the text cannot begin with "-", which the tool would take for an option.
    return base64.urlsafe_b64encode(bytes([raw[0] & 0x7F]) + raw[1:]).decode().rstrip("=")


def _format(common: list[str], data_dir: Path, cluster: str) -> None:
    tool = [*common, "kafka.tools.StorageTool", "format", "--cluster-id", cluster]
    tool += ["--config", str(_server_properties(data_dir))]
    tool.insert(1, "-XX:TieredStopAtLevel=1")  # a run of one second is over before the optimising compiler pays
    answer = subprocess.run(tool, capture_output=True, text=True, timeout=FORMAT_SECONDS, check=False)
    if answer.returncode:
        said = (answer.stdout + answer.stderr).strip()[-TAIL_CHARACTERS:]
        raise BrokerUnavailable(
            f"Kafka could not format {data_dir / 'data'}: {said}; free disk space or pass another, empty data directory"
        )


def _server_properties(data_dir: Path) -> Path:
    return data_dir / "server.properties"


def is_running(pid: int, data_dir: Path) -> bool:
    """Whether the process is still this directory's broker: process ids are used again by others."""
    child = _children.get(pid)
    if child is not None:  # ours, so its id is not used again; its command line may be empty for a moment after launch
        return child.poll() is None
    return str(_server_properties(data_dir)) in command_line(pid)


def _holds_nothing(pid: int) -> bool:
    """Whether a process has let go of its files and ports: a dying one loses its command line before those."""
    if pid in _children:
        return _children[pid].poll() is not None
    return holds_nothing(pid)


def stop(pid: int, data_dir: Path) -> None:
    """Shut down in order; kill what has not ended after STOP_SECONDS."""
    if is_running(pid, data_dir):
        os.kill(pid, signal.SIGTERM)
        if not _ends(pid, STOP_SECONDS):
            kill(pid, data_dir)


def kill(pid: int, data_dir: Path) -> None:
    """Kill at once, as a crash would, and wait until the process is gone."""
    if is_running(pid, data_dir):
        os.kill(pid, signal.SIGKILL)
        if not _ends(pid, KILL_SECONDS):
            raise BrokerUnavailable(f"broker process {pid} does not end; look at it with `ps -fp {pid}`")


def _ends(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _holds_nothing(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    _children.pop(pid, None)
    return True


def last_lines(data_dir: Path, count: int) -> str:
    """End of the broker's own log and console, for an error message."""
    lines: list[str] = []
    for name in ("console.log", "server.log"):
        file = data_dir / "logs" / name
        if file.exists():
            lines += file.read_text(errors="replace").splitlines()[-count:]
    return "\n".join(lines)
