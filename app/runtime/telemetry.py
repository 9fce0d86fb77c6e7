"""Metrics and health over HTTP, in the worker's loop: /metrics, /livez, /readyz, /startupz."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiokafka.errors import KafkaError
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from .tasks import Tasks

log = logging.getLogger(__name__)

PHASES: Final = ("assigned", "fencing", "restoring", "ready", "active", "failed")
GAUGE_SECONDS: Final = 1.0
BYTES_ROUNDS: Final = 30
"""Table bytes are counted once in so many rounds: it walks through all of them."""


class Telemetry:
    """Serves what the tasks report, and measures what nobody reports: lag, gauges of the state."""

    def __init__(self, tasks: Tasks) -> None:
        """Look at these tasks."""
        self._tasks: Final = tasks
        self._shared: Final = tasks.shared
        self._runner: web.AppRunner | None = None
        self._bytes: Final[dict[int, Counter[str]]] = {}
        self.address = ""

    async def start(self) -> None:
        """Listen, unless it does already; the address is logged and kept."""
        if self._runner is not None:
            return
        settings = self._shared.settings
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/livez", self._live),
                web.get("/readyz", self._ready),
                web.get("/startupz", self._started),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, settings.telemetry_host, settings.telemetry_port).start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"
        log.info("metrics and health on %s", self.address, extra={"address": self.address})

    async def stop(self) -> None:
        """Stop to listen."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def reasons(self) -> list[str]:
        """Why the worker is not ready; empty when it is."""
        tasks, shared = self._tasks, self._shared
        if shared.missing:
            return [shared.missing]
        found = []
        if tasks.draining:
            found.append("draining")
        if not shared.references.ready.is_set():
            found.append(shared.references.problem or "reading reference data")
        if not tasks.assigned_once:
            found.append("waiting for the consumer group to assign tasks")
        for number, task in sorted(tasks.by_partition.items()):
            if task.phase != "active":
                left = f", {task.restore_remaining} offsets left" if task.phase == "restoring" else ""
                found.append(f"task {number} is {task.phase}{left}{': ' + task.problem if task.problem else ''}")
            found += [f"task {number} takes no {stream}: {problem}" for stream, problem in task.stopped.items()]
        return found

    async def follow(self) -> None:
        """Set the gauges of the tasks each second for ever. Nothing is asked of Kafka here: it may not answer."""
        rounds = 0
        while True:
            self._gauges(count_bytes=rounds % BYTES_ROUNDS == 0)
            self._standby_gauges()
            rounds += 1
            await asyncio.sleep(GAUGE_SECONDS)

    async def follow_lag(self) -> None:
        """Measure lag and write group offsets every few seconds for ever, while the group is settled."""
        every = self._shared.settings.position_commit_milliseconds / 1000
        while True:
            await self._shared.settled.wait()
            try:
                await self.measure_lag()
            except (KafkaError, OSError, TimeoutError) as error:
                log.debug("lag not measured: %r", error)
            except Exception as error:
                log.warning("lag not measured: %r", error, exc_info=error)
            await asyncio.sleep(every)

    async def measure_lag(self) -> None:
        """Set lag against the last stable offset, and write the group's offsets for tools that ask the broker."""
        shared, lag = self._shared, self._shared.metrics.lag_records
        active = [task for task in self._tasks.by_partition.values() if task.phase == "active"]
        inputs = {where: (task, stream) for task in active for stream, where in task.inputs.items()}
        if not inputs:
            return
        bounds = await shared.thread.bounds(list(inputs))
        fetched = await shared.thread.reached()
        applied = {}
        lag.clear()  # tasks that moved away have no lag here
        for where, (task, stream) in inputs.items():
            state = task.state
            if state is None or where not in fetched:
                continue
            # What is fetched but not committed is lag; markers and holes behind the last record are not.
            applied[where] = state.position(stream).offset if task.waiting[stream] else fetched[where].position
            lag.labels(stream, where.partition).set(max(0, bounds[where][1] - applied[where]))
        await shared.thread.publish_positions(applied)

    def _gauges(self, *, count_bytes: bool) -> None:
        tasks, metrics = self._tasks.by_partition, self._shared.metrics
        metrics.restore_remaining.clear()
        metrics.stopped_inputs.clear()
        phases = Counter(task.phase for task in tasks.values())
        for phase in PHASES:
            metrics.assigned_tasks.labels(phase).set(phases[phase])
        metrics.paused_partitions.set(sum(self._tasks.paused_partitions().values()))
        records: Counter[str] = Counter()
        holds: Counter[str] = Counter()
        for number, task in tasks.items():
            metrics.restore_remaining.labels(number).set(task.restore_remaining)
            for stream in task.stopped:
                metrics.stopped_inputs.labels(stream, number).set(1)
            state = task.state
            if state is None:
                continue
            for table in state.tables:
                records[table.name] += len(table)
            for what in state.holds.waited_on():
                holds[what.partition(":")[0]] += len(state.holds.waiting_on(what))
            if count_bytes:
                self._bytes[number] = Counter(
                    {t.name: sum(map(len, t.bytes)) + sum(map(len, t.bytes.values())) for t in state.tables}
                )
        for name, count in records.items():
            metrics.table_records.labels(name).set(count)
            metrics.table_bytes.labels(name).set(sum(self._bytes[n][name] for n in tasks if n in self._bytes))
        metrics.held_entries.clear()
        for what, count in holds.items():
            metrics.held_entries.labels(what).set(count)

    def _standby_gauges(self) -> None:
        lag = self._shared.metrics.standby_lag
        lag.clear()  # copies that were taken or forgotten have no lag
        for partition, copy in self._shared.standbys.copies.items():
            lag.labels(partition).set(copy.lag)

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = encode(self._shared.metrics.registry)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _live(self, _: web.Request) -> web.Response:
        """The loop turns, or nobody would answer. A broker that is away must not restart pods."""
        return web.json_response({"status": "live"})

    async def _ready(self, _: web.Request) -> web.Response:
        return _answer(self.reasons())

    async def _started(self, _: web.Request) -> web.Response:
        """Started once the group has assigned tasks; how long restoring takes is readiness."""
        return _answer([] if self._tasks.assigned_once else ["waiting for the consumer group to assign tasks"])


def _answer(reasons: list[str]) -> web.Response:
    body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    return web.Response(status=503 if reasons else 200, text=json.dumps(body), content_type="application/json")
