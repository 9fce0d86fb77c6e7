"""How long a change of reference data holds up a task of a million entries: the longest step, and all of them.

    python bench/rerating.py --entries 1000000 --json

A task in memory, no broker: half its engagements are in euros, half in dollars. Looking is what finds the entries a
change may touch; settling looks at what they are worth now. The longest step is what slabs and heartbeats of the
worker wait for at most. Times are those of the processor, so that others on the machine do not count.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from time import process_time  # noqa: E402
from typing import Any, Final  # noqa: E402

import msgspec  # noqa: E402
from in_memory import Forgetful, Record  # noqa: E402

from billtide.agents import engagements, reference, time_entries, wake  # noqa: E402
from billtide.agents.context import Contexts  # noqa: E402
from billtide.agents.shell import apply_all  # noqa: E402
from billtide.agents.work import Apply, Work  # noqa: E402
from billtide.tables.reference import Reference  # noqa: E402
from billtide.tables.state import TaskState  # noqa: E402

ENGAGEMENTS: Final = 2_000
PEOPLE: Final = 2_000
SLAB_RECORDS: Final = 4_000
SETTLED_MAX: Final = 1_000
"""Entries of one transaction, as BILLTIDE_WAKE_ENTRIES_MAX has it."""
CHANGES: Final[dict[str, set[str] | None]] = {
    "a rate card": {"rates:EUR"},
    "one person": {"resource:R7"},
    "eight people": {f"resource:R{number}" for number in range(8)},
    "all, after a start": None,
}


class Task:
    """A task in memory with its reference data."""

    def __init__(self) -> None:
        """Know rates, people, the year and the engagements."""
        self.state, self.reference, self.contexts = TaskState(), Reference(), Contexts()
        for currency in ("EUR", "USD"):
            self.refer("rate-cards", card(currency, 1, "100"))
        for number in range(PEOPLE):
            rates = [{"rate": "50", "currency": "EUR" if number % 2 else "USD"}]
            self.refer("resources", {"id": f"R{number}", "revision": 1, "legal_entity_id": "DE", "cost_rates": rates})
        dates = {"start_date": "2026-01-01", "end_date": "2026-12-31"}
        self.refer("periods", {"legal_entity_id": "DE", "id": "2026", "revision": 1, "status": "open", **dates})
        self.apply("engagements", engagements.apply, [record(at, f"E{at}", terms(at)) for at in range(ENGAGEMENTS)])

    def refer(self, stream: str, value: dict[str, Any]) -> None:
        """Take reference data in."""
        reference.apply_reference(self.reference, stream, [record(0, "x", value)])

    def apply(self, stream: str, apply: Apply, records: list[Record]) -> None:
        """Apply records as one slab."""
        work = self._work(stream, records)
        apply_all(work, apply)
        self._commit(work)

    def settle(self, keys: list[bytes]) -> None:
        """Settle what a step has found, as one transaction."""
        work = self._work("reference", [])
        wake.wake(work, keys)
        self._commit(work)

    def _work(self, stream: str, records: list[Record]) -> Work:
        return Work(stream, records, self.state, self.reference, self.contexts, Forgetful(), ("bench", 0))

    def _commit(self, work: Work) -> None:
        work.finish()
        self.state.commit(self.state.changes())


def record(offset: int, key: str, value: dict[str, Any]) -> Record:
    """A record as a consumer brings it."""
    return Record(offset, 0, key.encode(), msgspec.json.encode(value))


def card(currency: str, version: int, rate: str) -> dict[str, Any]:
    """The default card of a currency."""
    lines = [{"role": "analyst", "rate": rate}]
    dates = {"currency": currency, "effective_from": "2026-01-01"}
    return {"id": currency, "version": version, "scope": "default", "lines": lines, **dates}


def terms(number: int) -> dict[str, Any]:
    """Time and materials, in euros or dollars."""
    return {
        "source": "crm", "id": f"E{number}", "revision": 1, "customer_id": f"C{number // 10}", "legal_entity_id": "DE",
        "currency": "EUR" if number % 2 else "USD", "contract_type": "time_and_materials", "start_date": "2026-01-01",
    }  # fmt: skip


def entries(count: int) -> Iterator[list[Record]]:
    """Approved entries of 8 hours, a slab at a time; ids and engagements are mixed."""
    for start in range(0, count, SLAB_RECORDS):
        slab = []
        for at in range(start, min(count, start + SLAB_RECORDS)):
            engagement = f"E{at % ENGAGEMENTS}"
            value = {
                "source": "psa", "id": f"{at * 7919 % count:08d}", "revision": 1, "engagement_id": engagement,
                "resource_id": f"R{at % PEOPLE}", "work_date": "2026-11-20", "quantity": "8", "status": "approved",
                "role": "analyst",
            }  # fmt: skip
            slab.append(record(at, engagement, value))
        yield slab


def looked(task: Task, changed: set[str] | None) -> dict[str, float]:
    """Walk the list of a change: how many steps and entries, and how long."""
    begun, longest, found, steps = process_time(), 0.0, 0, 0
    walk = wake.in_steps(task.state, changed)
    while True:
        started = process_time()
        step = next(walk, None)
        longest = max(longest, process_time() - started)
        if step is None:
            break
        steps += 1
        found += len(step)
    seconds = process_time() - begun
    return {"found": found, "steps": steps, "longest_ms": round(longest * 1e3, 1), "seconds": round(seconds, 2)}


def settled(task: Task, rate: str) -> dict[str, float]:
    """Settle all entries in euros at a rate, a transaction at a time, encoding included."""
    task.refer("rate-cards", card("EUR", int(rate), rate))
    keys = wake.waiting(task.state, {"rates:EUR"})
    begun, longest = process_time(), 0.0
    for at in range(0, len(keys), SETTLED_MAX):
        started = process_time()
        task.settle(keys[at : at + SETTLED_MAX])
        longest = max(longest, process_time() - started)
    seconds = process_time() - begun
    return {"found": len(keys), "longest_ms": round(longest * 1e3, 1), "seconds": round(seconds, 2)}


def run(count: int) -> dict[str, Any]:
    """Fill a task and measure."""
    task = Task()
    for slab in entries(count):
        task.apply("time-entries", time_entries.apply, slab)
    looking = {name: looked(task, changed) for name, changed in CHANGES.items()}
    settling = {"at the same rate": settled(task, "100"), "at another rate": settled(task, "101")}
    return {"entries": count, "looking": looking, "settling": settling}


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="entries of the task (default 1000000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    result = run(arguments.entries)
    if arguments.json:
        print(json.dumps(result))
        return
    for what in ("looking", "settling"):
        for name, figures in result[what].items():
            told = ", ".join(f"{key} {value:,}" for key, value in figures.items())
            sys.stdout.write(f"{what}, {name}: {told}\n")


if __name__ == "__main__":
    main()
