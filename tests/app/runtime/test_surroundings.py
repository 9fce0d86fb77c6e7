"""What runs beside the tasks: gauges that no broker holds up, and no silent end."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest

from billtide.app.runtime.telemetry import Telemetry
from billtide.app.settings import variable

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import StartWorker, Topics, Until

pytestmark = pytest.mark.kafka

ENDING = """
import asyncio, os, signal
from billtide.app.cli import main
from billtide.app.runtime.telemetry import Telemetry

async def follow(self):
    await asyncio.sleep(1)
    {end}

Telemetry.follow = follow
main(["worker"])
"""
"""A worker whose gauges are set no more after a second."""
TOLD_TO_END = """os.kill(os.getpid(), signal.SIGTERM)
    while not self._tasks.draining:
        await asyncio.sleep(0.001)
    raise asyncio.CancelledError
"""


async def test_gauges_go_on_when_lag_cannot_be_measured(
    kafka: Topics,
    worker: StartWorker,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error nobody expected is logged with its trace; what the tasks hold is told all the same, and lag again."""

    async def broken(_: Telemetry) -> None:
        message = "no position"
        raise AssertionError(message)

    with monkeypatch.context() as patched:
        patched.setattr(Telemetry, "measure_lag", broken)
        async with worker(position_commit_milliseconds=100) as running:
            await until(lambda: running.ready(4) and "lag not measured: AssertionError" in caplog.text)
            await kafka.send("time-entries", [("E-1", "r1")])
            await until(lambda: running.value("table_records") > 0)
            assert "time-entries" not in str(running.metrics.lag_records.collect())
            patched.undo()
            await until(lambda: "time-entries" in str(running.metrics.lag_records.collect()))


async def run(kafka: Topics, tmp_path: Path, end: str) -> tuple[int | None, str]:
    """Run a worker whose gauges end like this; its code, and what it says."""
    kept = {"BILLTIDE_DATA_DIR": str(tmp_path), "BILLTIDE_TELEMETRY_PORT": "0"}
    names = ("kafka_bootstrap", "topic_prefix", "app_id", "partitions")
    kept |= {variable(name): str(getattr(kafka.settings, name)) for name in names}
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ENDING.format(end=end), env=os.environ | kept, stderr=asyncio.subprocess.PIPE
    )
    _, said = await worker.communicate()
    return worker.returncode, said.decode()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("raise ArithmeticError", id="an error"),
        pytest.param("raise asyncio.CancelledError", id="a cancellation let out by a library"),
        pytest.param("return", id="a return"),
    ],
)
async def test_the_end_of_what_runs_beside_ends_the_worker(kafka: Topics, tmp_path: Path, end: str) -> None:
    """A worker without gauges, reference data or copies would look well: it ends instead, with 1, and says why."""
    code, said = await run(kafka, tmp_path, end)

    assert code == 1
    assert "Crashed reason=" in said
    assert "the worker stopped on an error" in said


async def test_what_runs_beside_may_be_cancelled_by_the_end_of_the_worker(kafka: Topics, tmp_path: Path) -> None:
    """The consumer's thread ends before what asks it something: that is an end in order, with 0."""
    code, said = await run(kafka, tmp_path, TOLD_TO_END)

    assert (code, "Crashed" in said) == (0, False)
    assert '"stopped"' in said
