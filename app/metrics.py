"""Every metric of a worker, by name. The runtime reports once per slab, never per record."""

from __future__ import annotations

import importlib.metadata
import time
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..agents.work import Work

PREFIX: Final = "billtide"
STAGE_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
LATENCY_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
SLAB_RECORDS: Final = (1, 10, 100, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
RESTORE_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """The metrics of one worker, in a registry of their own.

    received() and committed() are called once a slab; gauges() of the telemetry sets what is a state, not a count.
    """

    def __init__(self) -> None:
        """Declare all of them, so that each is exported from the start."""
        self.registry: Final = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._declare_flow()
        self._declare_kafka()
        self._declare_state()
        self._declare_reference()
        info = self._gauge("build_info", "Version that runs; always 1", "version")
        info.labels(importlib.metadata.version(PREFIX) if _installed() else "source").set(1)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, namespace=PREFIX, registry=self.registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(name, about, labels, namespace=PREFIX, registry=self.registry)

    def _histogram(self, name: str, about: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, about, labels, namespace=PREFIX, registry=self.registry, buckets=buckets)

    def _declare_flow(self) -> None:
        counter, histogram = self._counter, self._histogram
        self.records_received = counter("records_received_total", "Records handed to a task", "stream")
        self.records_refetched = counter(
            "records_refetched_total", "Records fetched again and skipped: the state already holds them", "stream"
        )
        self.records_outcomes = counter(
            "record_outcomes_total", "What became of records whose transaction is committed", "stream", "outcome"
        )
        self.duplicates = counter("duplicates_total", "Records that repeated a known revision", "stream")
        self.dead_letters = counter("dead_letters_total", "Records put aside", "stream", "reason")
        self.records_written = counter("records_written_total", "Output records committed", "stream")
        self.slab_records = histogram("slab_records", "Records of a slab", SLAB_RECORDS, "stream")
        self.stage_seconds = histogram(
            "slab_stage_seconds", "Time of a slab by stage: decide, encode, transaction", STAGE_SECONDS, "stage"
        )
        self.latency_seconds = histogram(
            "end_to_end_latency_seconds",
            "From the time of a slab's oldest record to the commit of what it caused",
            LATENCY_SECONDS,
            "stream",
        )
        self.last_commit_seconds = self._gauge("last_commit_timestamp_seconds", "When a slab was last committed")

    def _declare_kafka(self) -> None:
        counter, gauge = self._counter, self._gauge
        self.transactions_committed = counter("transactions_committed_total", "Transactions committed")
        self.transactions_aborted = counter(
            "transactions_aborted_total", "Transactions aborted, or whose commit has an unknown outcome", "reason"
        )
        self.fenced = counter("producer_fenced_total", "Times another owner of a task fenced this one")
        self.task_failures = counter("task_failures_total", "Times a task threw its memory away", "reason")
        self.slabs_lost = counter(
            "slabs_lost_total", "Gaps between slabs that were noticed; what was missing was fetched again"
        )
        self.rebalances = counter("rebalances_total", "Rebalances of the group seen by this worker")
        self.lag_records = gauge(
            "consumer_lag_records", "Records up to the last stable offset not yet applied", "stream", "partition"
        )
        self.assigned_tasks = gauge("assigned_tasks", "Tasks of this worker by phase", "phase")
        self.stopped_inputs = gauge(
            "stopped_inputs", "1 for an input a task takes no more of: too many bad records", "stream", "partition"
        )
        self.paused_partitions = gauge("paused_partitions", "Input partitions paused because slabs wait")

    def _declare_state(self) -> None:
        counter, gauge = self._counter, self._gauge
        self.restores = counter("restores_total", "Tasks restored from the changelog")
        self.warm_restores = counter("warm_restores_total", "Restores that had to read only the rest of a warm copy")
        self.standby_lag = gauge(
            "standby_lag_records", "Changelog offsets a warm copy has yet to read, markers included", "partition"
        )
        self.restored_records = counter("restored_records_total", "Changelog records read to restore")
        self.restore_seconds = self._histogram("restore_seconds", "Time of a restore", RESTORE_SECONDS)
        self.restore_remaining = gauge(
            "restore_remaining_records", "Changelog offsets still to read, markers included", "partition"
        )
        self.table_records = gauge("table_records", "Records of a table over all tasks", "table")
        self.table_bytes = gauge("table_bytes", "Bytes of a table over all tasks, keys included", "table")
        self.held_entries = gauge("held_entries", "Entries that wait, by the kind of thing they wait for", "reason")

    def _declare_reference(self) -> None:
        self.reference_records = self._counter("reference_records_total", "Reference records read", "stream")
        self.reference_undecodable = self._counter(
            "reference_undecodable_total", "Reference records not understood", "stream"
        )

    def received(self, stream: str, new: int, refetched: int) -> None:
        """A slab was entered; `refetched` of its records were applied before and are skipped."""
        self.records_received.labels(stream).inc(new)
        if refetched:
            self.records_refetched.labels(stream).inc(refetched)

    def committed(
        self,
        work: Work,
        written: Mapping[str, int],
        decide_seconds: float,
        encode_seconds: float,
        transaction_seconds: float,
    ) -> None:
        """A unit of work is committed. written: output records by stream."""
        now, stream, records = time.time(), work.stream, work.records
        self.transactions_committed.inc()
        self.last_commit_seconds.set(now)
        self.stage_seconds.labels("decide").observe(decide_seconds)
        self.stage_seconds.labels("encode").observe(encode_seconds)
        self.stage_seconds.labels("transaction").observe(transaction_seconds)
        if records:
            self.slab_records.labels(stream).observe(len(records))
            self.latency_seconds.labels(stream).observe(max(0.0, now - records[0].timestamp / 1000))
        for outcome, count in work.outcomes.items():
            if count:
                self.records_outcomes.labels(stream, outcome).inc(count)
        if work.outcomes["duplicate"]:
            self.duplicates.labels(stream).inc(work.outcomes["duplicate"])
        for reason in work.dead_letter_reasons:
            self.dead_letters.labels(stream, reason).inc()
        for name, count in written.items():
            self.records_written.labels(name).inc(count)

    def failed(self, reason: str) -> None:
        """A task threw its memory away, or could not become active."""
        self.task_failures.labels(reason).inc()
        if reason == "fenced":
            self.fenced.inc()

    def restored(self, records: int, seconds: float) -> None:
        """A task read its changelog to the end."""
        self.restores.inc()
        self.restored_records.inc(records)
        self.restore_seconds.observe(seconds)

    def referenced(self, stream: str, records: int, undecodable: int) -> None:
        """A slab of reference records was applied."""
        self.reference_records.labels(stream).inc(records)
        if undecodable:
            self.reference_undecodable.labels(stream).inc(undecodable)


def _installed() -> bool:
    try:
        importlib.metadata.version(PREFIX)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
