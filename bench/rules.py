"""What each rule costs: microseconds of one processor for an event of each kind, through agents, rules and tables.

No Kafka: records in memory, an outbox that encodes and forgets. Each kind is a task of its own; all are measured turn
by turn, and the least of the rounds counts, so that what else runs on the machine weighs on all alike. The ratio is
to the first row, a submitted time entry.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import gc  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any, Final, NamedTuple  # noqa: E402

import msgspec  # noqa: E402
from in_memory import Forgetful, Record  # noqa: E402

from billtide.agents import approvals, engagements, expenses, reference, time_entries  # noqa: E402
from billtide.agents.context import Contexts  # noqa: E402
from billtide.agents.shell import apply_all  # noqa: E402
from billtide.agents.work import Apply, Work  # noqa: E402
from billtide.tables.reference import Reference  # noqa: E402
from billtide.tables.state import TaskState  # noqa: E402

EVENTS: Final = 2_000
ROUNDS: Final = 7
APPLY: Final[dict[str, Apply]] = {
    "engagements": engagements.apply,
    "time-entries": time_entries.apply,
    "expenses": expenses.apply,
    "approvals": approvals.apply,
}
TERMS: Final = {
    "source": "crm", "id": "E1", "revision": 1, "customer_id": "C1", "legal_entity_id": "DE", "currency": "EUR",
    "contract_type": "time_and_materials", "start_date": "2026-01-01",
}  # fmt: skip
MASTERS: Final = {
    "rate-cards": {
        "id": "std", "version": 1, "scope": "default", "currency": "EUR", "effective_from": "2026-01-01",
        "lines": [{"role": "analyst", "rate": "100"}],
    },
    "resources": {
        "id": "R1", "revision": 1, "legal_entity_id": "DE", "cost_rates": [{"rate": "50", "currency": "EUR"}],
    },
    "fx-rates": {
        "base": "USD", "quote": "EUR", "valid_from": "2026-01-01", "valid_to": "2026-12-31", "rate": "0.9",
    },
    "periods": {
        "legal_entity_id": "DE", "id": "2026", "revision": 1, "start_date": "2026-01-01", "end_date": "2026-12-31",
        "status": "open",
    },
}  # fmt: skip
FEE: Final = {"contract_type": "fixed_fee", "fee": {"amount": "9000000", "estimated_cost": "7000000"}}
CAPPED: Final = {"contract_type": "capped", "cap": {"amount": "99999999"}}
PARTS: Final = [{"id": f"PO{number}", "amount": "9999999", "per": "week"} for number in range(3)]
ROUNDED: Final = {"policies": {"time_rounding": {"unit_minutes": 15, "mode": "up"}}}
WEEKEND: Final = {"policies": {"multipliers": {"weekend": "1.5"}}, "discount_percent": "5"}


class Kind(NamedTuple):
    """A row of the table: what comes before, unmeasured, and what is measured."""

    name: str
    terms: dict[str, Any]
    before: list[tuple[str, dict[str, Any]]]
    stream: str
    event: dict[str, Any]


def entry(**changes: object) -> dict[str, Any]:
    """8 hours of an analyst."""
    said = {
        "source": "psa", "revision": 1, "engagement_id": "E1", "resource_id": "R1", "work_date": "2026-11-21",
        "quantity": "8", "status": "submitted", "role": "analyst",
    }  # fmt: skip
    return {**said, **changes}


def spent(**changes: object) -> dict[str, Any]:
    """A train ride."""
    said = {
        "source": "psa", "revision": 1, "engagement_id": "E1", "resource_id": "R1", "spent_on": "2026-11-20",
        "category": "travel", "amount": "100", "currency": "EUR", "status": "approved",
    }  # fmt: skip
    return {**said, **changes}


def kinds() -> list[Kind]:
    """Every row."""
    submitted, approved = ("time-entries", entry()), ("time-entries", entry(status="approved"))
    decision = {"source": "psa", "entry_revision": 1, "engagement_id": "E1", "verdict": "approved"}
    again = entry(revision=2, status="approved")
    return [
        Kind("time, submitted", {}, [], *submitted),
        Kind("time, approved at once", {}, [], *approved),
        Kind("time, approved by a revision", {}, [submitted], "time-entries", again),
        Kind("time, approved by a decision", {}, [submitted], "approvals", decision),
        Kind("time, corrected after approval", {}, [approved], "time-entries", {**again, "quantity": "6"}),
        Kind("time, rejected", {}, [submitted], "time-entries", entry(revision=2, status="rejected")),
        Kind("time, duplicate", {}, [submitted], *submitted),
        Kind("time, no rate: held", {}, [], "time-entries", entry(role="pilot", status="approved")),
        Kind("time, rounded up to quarters", ROUNDED, [], *approved),
        Kind("time, weekend and discount", WEEKEND, [], *approved),
        Kind("capped, approved", CAPPED, [], *approved),
        Kind("capped four times, approved", {**CAPPED, "caps": PARTS}, [], *approved),
        Kind("fixed fee, approved", FEE, [], *approved),
        Kind("expense, at cost", {}, [], "expenses", spent()),
        Kind("expense, in dollars", {}, [], "expenses", spent(currency="USD")),
    ]


class Bench:
    """Tasks in memory, made anew for each round."""

    def __init__(self) -> None:
        """Read the masters once."""
        self._reference = Reference()
        for stream, value in MASTERS.items():
            reference.apply_reference(self._reference, stream, [self._record(0, "x", value)])

    @staticmethod
    def _record(offset: int, key: str, value: dict[str, Any]) -> Record:
        return Record(offset, 0, key.encode(), msgspec.json.encode(value))

    def _numbered(self, stream: str, event: dict[str, Any]) -> list[Record]:
        name = "entry_id" if stream == "approvals" else "id"
        return [self._record(at, "E1", {**event, name: str(at)}) for at in range(EVENTS)]

    def seconds(self, kind: Kind) -> float:
        """Time of one round of a kind, from records to state and encoded events."""
        state, contexts = TaskState(), Contexts()

        def run(stream: str, records: list[Record]) -> None:
            work = Work(stream, records, state, self._reference, contexts, Forgetful())
            apply_all(work, APPLY[stream])
            work.finish()
            state.commit(state.changes())

        run("engagements", [self._record(0, "E1", {**TERMS, **kind.terms})])
        for stream, event in kind.before:
            run(stream, self._numbered(stream, event))
        records = self._numbered(kind.stream, kind.event)
        return _timed(lambda: run(kind.stream, records))


def _timed(work: Callable[[], None]) -> float:
    gc.collect()
    gc.disable()
    started = time.process_time()
    work()
    used = time.process_time() - started
    gc.enable()
    return used


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    bench, least = Bench(), dict[str, float]()
    for _ in range(ROUNDS):
        for kind in kinds():
            least[kind.name] = min(least.get(kind.name, 9e9), bench.seconds(kind))
    unit = next(iter(least.values()))
    rows = {
        name: {"us_per_event": round(used / EVENTS * 1e6, 2), "ratio": round(used / unit, 2)}
        for name, used in least.items()
    }
    if arguments.json:
        print(json.dumps(rows))
        return
    for name, row in rows.items():
        sys.stdout.write(f"{name:32} {row['us_per_event']:>7} us {row['ratio']:>6}\n")


if __name__ == "__main__":
    main()
