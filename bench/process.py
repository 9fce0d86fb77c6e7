"""A measured process: what it prints, and the processor time it has used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from billtide.app.settings import Settings

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
POLL_SECONDS = 0.1
WORKER = [
    "-c",
    "import sys; from billtide.app.worker import run; from billtide.app.settings import load; sys.exit(run(load()))",
]
"""Arguments of Python that make it a worker."""


def variables_of(settings: Settings) -> dict[str, str]:
    """The environment of a process that is to see the same broker and topics."""
    return {
        "BILLTIDE_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "BILLTIDE_TOPIC_PREFIX": settings.topic_prefix,
        "BILLTIDE_APP_ID": settings.app_id,
        "BILLTIDE_PARTITIONS": str(settings.partitions),
    }


def cpu_seconds(pid: int) -> float:
    """User and system time a running process has used, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def start(arguments: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a Python process with BILLTIDE_* variables, its errors in a log file."""
    command = [sys.executable, *arguments]
    with log.open("wb") as errors:
        return subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors)


def metric(port: int, name: str, labels: str = "") -> float:
    """Read one sample of a worker's /metrics; 0 when it is not there yet."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"billtide_{name}") and labels in line:
                return float(line.rpartition(" ")[2])
    return 0.0


def await_ready(port: int, process: subprocess.Popen[bytes], seconds_max: float = 60.0) -> None:
    """Wait until a worker says it is ready; raises with its exit code when it ends first."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended with {process.returncode}; see its log")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return
        except OSError:
            time.sleep(POLL_SECONDS)
    raise RuntimeError("the worker was not ready in time; see its log")
