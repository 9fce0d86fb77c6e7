"""Metrics: names and buckets other files (dashboards, alerts) rely on."""

from __future__ import annotations

from billtide.app.metrics import LATENCY_SECONDS, STAGE_SECONDS, Metrics


def test_every_metric_is_there_from_the_start() -> None:
    """Declared once, under one prefix, with a sentence each."""
    families = list(Metrics().registry.collect())
    ours = [family for family in families if not family.name.startswith("process_")]
    assert len(ours) > 25
    assert [family.name for family in ours if not family.name.startswith("billtide_") or not family.documentation] == []


def test_two_workers_in_one_process_have_their_own() -> None:
    """Nothing is global."""
    first, second = Metrics(), Metrics()
    first.received("time-entries", 3, 0)
    assert first.registry.get_sample_value("billtide_records_received_total", {"stream": "time-entries"}) == 3
    assert second.registry.get_sample_value("billtide_records_received_total", {"stream": "time-entries"}) is None


def test_buckets_are_in_seconds() -> None:
    """A slab takes milliseconds, an event from its source to its commit up to minutes."""
    assert STAGE_SECONDS[0] == 0.0005
    assert STAGE_SECONDS[-1] == 1.0
    assert LATENCY_SECONDS[0] == 0.05
    assert LATENCY_SECONDS[-1] == 900.0


def test_the_help_of_aborted_transactions_covers_unknown_outcomes() -> None:
    """A commit nobody knows the outcome of is counted here too, so the help text says it."""
    texts = {family.name: family.documentation for family in Metrics().registry.collect()}
    assert "unknown outcome" in texts["billtide_transactions_aborted"]
