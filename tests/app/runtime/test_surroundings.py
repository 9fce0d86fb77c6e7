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
import asyncio
from billtide.app.cli import main
from billtide.app.runtime.telemetry import Telemetry

async def follow(self):
    await asyncio.sleep(1)
    {end}

Telemetry.follow = follow
main(["worker"])
"""
"""A worker whose gauges are set no more after a second."""


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
    kept = {"BILLTIDE_DATA_DIR": str(tmp_path), "BILLTIDE_TELEMETRY_PORT": "0"}
    names = ("kafka_bootstrap", "topic_prefix", "app_id", "partitions")
    kept |= {variable(name): str(getattr(kafka.settings, name)) for name in names}
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ENDING.format(end=end), env=os.environ | kept, stderr=asyncio.subprocess.PIPE
    )
    _, said = await worker.communicate()

    assert worker.returncode == 1
    assert "Crashed reason=" in said.decode()
    assert "the worker stopped on an error" in said.decode()
