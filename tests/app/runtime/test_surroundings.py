"""What runs beside the tasks: gauges that no broker holds up, and no silent end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billtide.app.runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from .conftest import StartWorker, Topics, Until

pytestmark = pytest.mark.kafka


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
            assert not running.value("lag_records", stream="time-entries")
            patched.undo()
            await until(lambda: "time-entries" in str(running.metrics.lag_records.collect()))


async def test_the_end_of_what_runs_beside_ends_the_worker(
    kafka: Topics, worker: StartWorker, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker without gauges, reference data or copies would look well: it ends by the error instead."""

    def broken(_: Telemetry, *, count_bytes: bool) -> None:
        raise ArithmeticError(count_bytes)

    assert kafka
    async with worker() as running:
        await until(lambda: running.ready(4))
        monkeypatch.setattr(Telemetry, "_gauges", broken)
        await until(lambda: running.surroundings.crashed)
