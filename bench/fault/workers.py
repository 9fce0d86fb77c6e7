"""Worker processes of a scenario: started as in production, killed, stopped, continued, asked to end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from billtide.app.broker_config import free_port
from billtide.app.refusal import RefusedError
from billtide.app.settings import PREFIX, Settings, variable

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKER: Final = (sys.executable, "-c", "from billtide.app.cli import main; main()", "worker")
SABOTAGED: Final = Path(__file__).with_name("sabotaged.py")
POLL_SECONDS: Final = 0.05
TELEMETRY_SECONDS: Final = 2.0
FAKETIME: Final = "*/faketime/libfaketime.so.1"
WARNED_LINES_MAX: Final = 5
LOCAL: Final = "local"
"""The workers' own data directory, in that of the run, which has their logs."""
ZONE: Final = " in "
"""Between a clock and its zone."""
TASK: Final = re.compile(r'billtide_restore_remaining_records{partition="(\d+)"}')


class Worker:
    """One worker process. name: its own among those of the scenario; expected: its end is the scenario's doing."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        *,
        static: bool,
        failpoint: str = "",
        sabotage: str = "",
        clock: str = "",
        command: Sequence[str] = WORKER,
    ) -> None:
        """Start it. static: the name is its place in the group; failpoint, sabotage, clock: what it is to suffer.

        command: what is started, the first of it a Python.
        """
        self.name: Final = name
        self.static: Final = static
        self.port: Final = free_port()
        self.log: Final = settings.data_dir / f"{name}.log"
        self.expected = bool(failpoint)
        own = settings.model_copy(
            update={
                "instance_id": name if static else "",
                "telemetry_port": self.port,
                "failpoint": failpoint,
                "data_dir": settings.data_dir / LOCAL,
            }
        )
        if sabotage:
            command = [sys.executable, str(SABOTAGED), sabotage]
        self._clock: Final = settings.data_dir / f"{name}.clock"
        environment = _environment(own) | (self._other_clock(clock) if clock else {})
        with self.log.open("ab") as log:
            self._process: Final = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; None while it lives."""
        return self._process.poll()

    def set_clock(self, clock: str) -> None:
        """Give it another wall clock from now on. It must have had one at its start.

        clock: in libfaketime's form, `+2h` or `@2024-02-29 12:00:00`, and then the zone it is local time of.
        Time that only goes forward, by which sockets and loops wait, stays as it is.
        """
        self._clock.write_text(clock.partition(ZONE)[0])

    def _other_clock(self, clock: str) -> dict[str, str]:
        """Variables with which it starts by another clock."""
        self.set_clock(clock)
        return {
            "LD_PRELOAD": str(faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": clock.partition(ZONE)[2] or "UTC",
        }

    def is_stopped(self) -> bool:
        """Whether a signal has stopped it, as a failpoint may."""
        return _state(self.pid) == "T"

    def is_ready(self) -> bool:
        """Whether all its tasks are active, and it has some."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=TELEMETRY_SECONDS):
                return True
        except OSError:
            return False

    def metrics(self) -> str:
        """All its metrics as text; empty when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=TELEMETRY_SECONDS) as answer:
                return answer.read().decode()  # type: ignore[no-any-return]
        except OSError:
            return ""

    def tasks(self) -> set[int]:
        """Partitions whose tasks it has; none when it does not answer."""
        return {int(task) for task in TASK.findall(self.metrics())}

    def metric(self, name: str) -> float:
        """Sum of a metric over its labels; 0 when the worker does not answer."""
        wanted, lines = f"billtide_{name}", self.metrics().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.split("{")[0].split(" ")[0] == wanted)

    def warned(self) -> str:
        """The last lines of its log that tell of something wrong: a log may be gone before anybody can look into it."""
        lines = self.log.read_text(errors="replace").splitlines()
        wrong = [line for line in lines if '"level": "info"' not in line]
        return "\n".join([f"{self.name}: ended with {self.code}", *wrong[-WARNED_LINES_MAX:]])

    def signal(self, number: int) -> None:
        """Send a signal, if it still lives."""
        if self.code is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a crash would."""
        self.expected = True
        self.signal(signal.SIGKILL)
        self._process.wait()

    def end(self, seconds: float) -> int | None:
        """Ask it to end; its exit code, or None when it had not ended in time and was killed."""
        self.expected = True
        self.signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def megabytes(self) -> int:
        """Memory it holds now, in MiB; 0 when it is gone."""
        return self._status("VmRSS:") // 1024

    def address_bytes(self) -> int:
        """Address space it has now, in bytes; 0 when it is gone."""
        return self._status("VmSize:") * 1024

    def _status(self, name: str) -> int:
        """A figure of the kernel about it, in KiB."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)

    def descriptors(self) -> int:
        """Files and connections it has open; 0 when it is gone."""
        try:
            return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        except OSError:
            return 0

    def wait_for(self, what: str, seconds: float) -> bool:
        """Wait until it is `ready`, `stopped` or `dead`; False when it was not in time."""
        facts = {"ready": self.is_ready, "stopped": self.is_stopped, "dead": lambda: self.code is not None}
        deadline = time.monotonic() + seconds
        while not facts[what]():
            if time.monotonic() > deadline or (what != "dead" and self.code is not None):
                return False
            time.sleep(POLL_SECONDS)
        return True


def faketime() -> Path:
    """The library that gives a process another clock. Raises RefusedError where it is not installed."""
    library = next(iter(sorted(Path("/usr/lib").glob(FAKETIME))), None)
    if library is None:
        raise RefusedError("libfaketime is not installed, which other clocks need: `apt install libfaketime`")
    return library


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment with exactly these settings."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value != field.default:
            variables[variable(name)] = str(value.get_secret_value() if isinstance(value, SecretStr) else value)
    return variables
