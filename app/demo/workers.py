"""The demonstration's workers: processes of this machine, with a state file so that another command can stop them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from ..broker_config import free_port
from ..processes import command_line
from ..refusal import RefusedError
from ..settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKERS: Final = 2
STATE_FILE: Final = "workers.json"
STOP_SECONDS_MAX: Final = 20.0
"""What has not drained and left the group by then is killed: all it had not committed is done again later."""
POLL_SECONDS: Final = 0.05
_RUN: Final = "from billtide.app.cli import main; main()  # {name} of {data_dir}"

_children: dict[int, subprocess.Popen[bytes]] = {}  # processes of ours to reap


class OtherWorkersError(RefusedError):
    """Workers that an earlier command started would not take the records in."""


class WorkerEndedError(RuntimeError):
    """A worker has ended by itself; its log says why."""


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A worker that was started. name: its static place in the group; port: its telemetry.

    bootstrap and topic_prefix say whose records it takes in.
    """

    name: str
    pid: int
    port: int
    bootstrap: str
    topic_prefix: str
    log: str
    data_dir: str


def start(settings: Settings, name: str) -> WorkerProcess:
    """Start one worker; its output goes to a log below the data directory."""
    data_dir = settings.data_dir.absolute()
    log = data_dir / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    port = free_port()
    own = settings.model_copy(update={"instance_id": name, "telemetry_port": port})
    with log.open("ab") as output:
        # A session of its own: Ctrl-C in the terminal must not take the workers down before the command does.
        child = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-c", _RUN.format(name=name, data_dir=data_dir), "worker"],
            env=_environment(own),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    return WorkerProcess(
        name, child.pid, port, settings.kafka_bootstrap, settings.topic_prefix, str(log), str(data_dir)
    )


def start_all(settings: Settings) -> list[WorkerProcess]:
    """Start the demonstration's workers and note them down for another command."""
    started = [start(settings, f"{settings.app_id}-{number}") for number in range(1, WORKERS + 1)]
    state = json.dumps([asdict(worker) for worker in started], indent=2)
    (settings.data_dir / STATE_FILE).write_text(state + "\n")
    return started


def running(settings: Settings) -> list[WorkerProcess]:
    """Workers that an earlier command started on this data directory and that still run."""
    try:
        known = json.loads((settings.data_dir / STATE_FILE).read_text())
    except FileNotFoundError:
        return []
    return [worker for worker in (WorkerProcess(**each) for each in known) if is_running(worker)]


def require_same(settings: Settings, workers: Sequence[WorkerProcess]) -> None:
    """Raise OtherWorkersError when workers on this data directory take in other topics than these settings name."""
    for worker in workers:
        if (worker.bootstrap, worker.topic_prefix) != (settings.kafka_bootstrap, settings.topic_prefix):
            message = (
                f"worker {worker.name} on {worker.data_dir} reads {worker.topic_prefix}* at {worker.bootstrap}, not "
                f"{settings.topic_prefix}* at {settings.kafka_bootstrap}; stop it with `billtide down`, or set "
                "BILLTIDE_DATA_DIR to a directory of its own"
            )
            raise OtherWorkersError(message)


def stop_all(settings: Settings, workers: Sequence[WorkerProcess]) -> None:
    """Let the workers drain and leave; kill what does not."""
    for worker in workers:
        _signal(worker, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS_MAX
    for worker in workers:
        while is_running(worker) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        kill(worker)
    (settings.data_dir / STATE_FILE).unlink(missing_ok=True)


def kill(worker: WorkerProcess) -> None:
    """End a worker as a crash would, and wait until it is gone."""
    _signal(worker, signal.SIGKILL)
    while is_running(worker):
        time.sleep(POLL_SECONDS)
    _children.pop(worker.pid, None)


def require_running(workers: Sequence[WorkerProcess]) -> str:
    """Name the logs of the workers; raises WorkerEndedError when one has ended."""
    for worker in workers:
        if not is_running(worker):
            raise WorkerEndedError(f"worker {worker.name} has ended; its log is {worker.log}")
    return " and ".join(worker.log for worker in workers)


def is_running(worker: WorkerProcess) -> bool:
    """Whether the process is still this worker: process ids are used again by others."""
    child = _children.get(worker.pid)
    if child is not None:
        return child.poll() is None
    return f"{worker.name} of {worker.data_dir}" in command_line(worker.pid)


def _signal(worker: WorkerProcess, number: signal.Signals) -> None:
    if is_running(worker):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, number)


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment with exactly these settings."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value != field.default:
            shown = value.get_secret_value() if isinstance(value, SecretStr) else value
            variables[PREFIX + name.upper()] = str(shown)
    return variables
