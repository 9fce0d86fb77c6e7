"""Records as senders send them, and a task in memory that takes them in: real agents, rules and tables, no Kafka."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, cast

import msgspec

from billtide.agents import (
    approvals,
    assignments,
    engagements,
    expenses,
    invoices,
    payments,
    reference,
    shell,
    time_entries,
    utilisation,
    wake,
)
from billtide.agents.context import Contexts
from billtide.agents.outbox import Kept
from billtide.agents.work import Work
from billtide.tables.reference import Reference
from billtide.tables.state import TaskState

Object = dict[str, Any]

AGENTS = {
    "time-entries": time_entries.apply,
    "expenses": expenses.apply,
    "approvals": approvals.apply,
    "engagements": engagements.apply,
    "assignments": assignments.apply,
    "invoices": invoices.apply,
    "payments": payments.apply,
    "assignment-forecasts": utilisation.apply,
}
REFERENCES = ("rate-cards", "resources", "fx-rates", "periods", "account-maps")
RESTART_SHARE = 0.1
"""After so many facts of those that are sent in any order the task restarts."""
KEYS = {"engagements": "id", "assignment-forecasts": "resource_id"}


class Record(NamedTuple):
    """A consumed record, as the Kafka client hands it over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Task:
    """A partition task in memory. Each send and each wake is one transaction.

    out: every event that left, by stream, as JSON objects; changelog: every record written to it.
    """

    def __init__(self) -> None:
        self.state = TaskState()
        self.reference = Reference()
        self.contexts = Contexts()
        self.out: dict[str, list[Object]] = defaultdict(list)
        self.dead_letters: list[tuple[bytes | None, bytes | None, dict[str, bytes]]] = []
        self.changelog: list[Record] = []
        self.outcomes: list[str] = []
        self.offsets: dict[str, int] = defaultdict(int)

    def send(self, stream: str, *objects: Object) -> str:
        """Send objects to an input in one slab; returns the outcome of the last."""
        key = KEYS.get(stream, "engagement_id")
        return self.send_records(
            stream, *(self.record(stream, o[key].encode(), msgspec.json.encode(o)) for o in objects)
        )

    def send_raw(self, stream: str, key: bytes | None, value: bytes | None, *headers: tuple[str, bytes]) -> str:
        """Send one record byte for byte."""
        return self.send_records(stream, self.record(stream, key, value, *headers))

    def record(self, stream: str, key: bytes | None, value: bytes | None, *headers: tuple[str, bytes]) -> Record:
        """Make the next record of a stream."""
        offset = self.offsets[stream]
        self.offsets[stream] += 1
        return Record(stream, 0, offset, 1_700_000_000_000, key, value, headers)

    def send_records(self, stream: str, *records: Record) -> str:
        """Apply a slab and commit it."""
        work = Work(stream, records, self.state, self.reference, self.contexts, Kept(), (stream, 0))
        shell.apply_all(work, AGENTS[stream])
        self.outcomes += [outcome for outcome, count in work.outcomes.items() for _ in range(count)]
        self.commit(work)
        return max(work.outcomes, key=lambda outcome: work.outcomes[outcome]) if len(records) == 1 else ""

    def refer(self, stream: str, *objects: Object) -> reference.ReferenceChange:
        """Take reference records in, then wake what waited for them."""
        records = [self.record(stream, b"", msgspec.json.encode(o)) for o in objects]
        change = reference.apply_reference(self.reference, stream, records)
        self.wake(change.wakes)
        return change

    def wake(self, changed: set[str] | None) -> int:
        """Settle what waits for these words, or for any reference data; returns how many holds were tried."""
        waiting = wake.waiting(self.state, changed)
        work = Work("reference", (), self.state, self.reference, self.contexts, Kept())
        wake.wake(work, waiting)
        self.commit(work)
        return sum(key.startswith(b"h") for key in waiting)

    def commit(self, work: Work) -> None:
        """Take what leaves, and the changelog, as a committed transaction does."""
        work.finish()
        for stream, records in cast("Kept", work.outbox).items():
            for key, value, headers in records:
                if stream == "dead-letters":
                    self.dead_letters.append((key, value, dict(headers)))
                else:
                    self.out[stream].append(msgspec.json.decode(value))
        changes = self.state.changes()
        self.changelog += [Record("state-changelog", 0, 0, 0, key, value) for table in changes for key, value in table]
        self.state.commit(changes)

    def send_mixed(self, facts: Mapping[str, Sequence[Object]], chance: Random, repeats: Sequence[int] = (1,)) -> None:
        """Send facts, of each stream in order and the streams in any, each as often as chance picks, with restarts."""
        left = {stream: list(there) for stream, there in facts.items()}
        while left:
            stream = chance.choice(sorted(left))
            fact = left[stream].pop(0)
            if stream in {"periods", "resources", "rate-cards"}:
                self.refer(stream, fact)
            else:
                self.send(stream, *[fact] * chance.choice(repeats))
            if chance.random() < RESTART_SHARE:
                self.restart()
            left = {name: there for name, there in left.items() if there}

    def restart(self) -> None:
        """Forget everything but the changelog and the reference data, as after a crash."""
        self.state, self.contexts = TaskState(), Contexts()
        self.state.restore(self.changelog)
        self.state.restored()

    def figures(self, engagement_id: str = "E1") -> Object:
        """The latest figures of an engagement."""
        return next(f for f in reversed(self.out["engagement-figures"]) if f["engagement_id"] == engagement_id)

    def amounts(self, stream: str = "billing", field: str = "amount") -> list[str]:
        """One field of everything a stream has got."""
        return [event[field] for event in self.out[stream]]

    def clear(self) -> None:
        """Forget what left so far, so that a test reads only what comes next."""
        self.out.clear()
        self.dead_letters.clear()


def time_entry(**changes: object) -> Object:
    """8 hours of an analyst on 20 November 2026, submitted."""
    return {
        "source": "psa", "id": "1", "revision": 1, "engagement_id": "E1", "resource_id": "R1",
        "work_date": "2026-11-20", "quantity": "8", "status": "submitted", "role": "analyst", **changes,
    }  # fmt: skip


def expense(**changes: object) -> Object:
    """A train ride of 100 EUR on 20 November 2026, submitted."""
    return {
        "source": "psa", "id": "1", "revision": 1, "engagement_id": "E1", "resource_id": "R1", "spent_on": "2026-11-20",
        "category": "travel", "amount": "100", "currency": "EUR", "status": "submitted", **changes,
    }  # fmt: skip


def approval(**changes: object) -> Object:
    """The manager approves revision 1 of time entry 1."""
    return {
        "source": "psa",
        "entry_id": "1",
        "entry_revision": 1,
        "engagement_id": "E1",
        "verdict": "approved",
        **changes,
    }


def engagement(**changes: object) -> Object:
    """Time and materials in EUR, no rates of its own."""
    return {
        "source": "crm", "id": "E1", "revision": 1, "customer_id": "C1", "legal_entity_id": "DE", "currency": "EUR",
        "contract_type": "time_and_materials", "start_date": "2026-01-01", **changes,
    }  # fmt: skip


def fixed_fee(**changes: object) -> Object:
    """A fixed fee of 1,000,000 with 700,000 of expected cost."""
    return engagement(contract_type="fixed_fee", fee={"amount": "1000000", "estimated_cost": "700000"}, **changes)


def capped(amount: str, **changes: object) -> Object:
    """A capped engagement, split to the cent."""
    return engagement(contract_type="capped", cap={"amount": amount}, **changes)


def assignment(**changes: object) -> Object:
    """R1 planned for 20 hours in the week of 23 November 2026."""
    return {
        "source": "plan", "id": "A1", "revision": 1, "engagement_id": "E1", "resource_id": "R1",
        "weeks": [{"week": "2026-11-23", "hours": "20"}], **changes,
    }  # fmt: skip


def invoice(**changes: object) -> Object:
    """The first bill of time entry 1, 800 EUR, on invoice 2026-1."""
    return {
        "source": "erp", "id": "I1", "revision": 1, "engagement_id": "E1", "number": "2026-1", "issued_on": "2026-11-30",
        "currency": "EUR", "lines": [{"billing_id": "psa:time:1:1:billing:0", "amount": "800"}], **changes,
    }  # fmt: skip


def credit_note(amount: str, **changes: object) -> Object:
    """A credit of so much of that line."""
    lines = [{"billing_id": "psa:time:1:1:billing:0", "amount": amount}]
    return invoice(
        **{"id": "C1", "number": "2026-C1", "kind": "credit_note", "invoice_id": "I1", "lines": lines, **changes}
    )


def payment(amount: str = "800", **changes: object) -> Object:
    """A payment of invoice I1 on 15 December 2026."""
    return {
        "source": "erp", "id": "P1", "revision": 1, "engagement_id": "E1", "received_on": "2026-12-15", "amount": amount,
        "currency": "EUR", "allocations": [{"invoice_id": "I1", "amount": amount}], **changes,
    }  # fmt: skip


def rate_card(**changes: object) -> Object:
    """The default card: an analyst is 100 EUR an hour."""
    return {
        "id": "std", "version": 1, "scope": "default", "currency": "EUR", "effective_from": "2026-01-01",
        "lines": [{"role": "analyst", "rate": "100"}], **changes,
    }  # fmt: skip


def resource(**changes: object) -> Object:
    """R1 costs 50 EUR an hour."""
    return {
        "id": "R1",
        "revision": 1,
        "legal_entity_id": "DE",
        "cost_rates": [{"rate": "50", "currency": "EUR"}],
        **changes,
    }


def fx_rate(**changes: object) -> Object:
    """A dollar is 0.9 EUR all through November 2026."""
    return {
        "base": "USD",
        "quote": "EUR",
        "valid_from": "2026-11-01",
        "valid_to": "2026-11-30",
        "rate": "0.9",
        **changes,
    }


def period(**changes: object) -> Object:
    """November 2026 is open."""
    return {
        "legal_entity_id": "DE", "id": "2026-11", "revision": 1, "start_date": "2026-11-01", "end_date": "2026-11-30",
        "status": "open", **changes,
    }  # fmt: skip


def year(status: str = "open", **changes: object) -> Object:
    """The whole of 2026 as one period."""
    return period(**{"id": "2026", "start_date": "2026-01-01", "end_date": "2026-12-31", "status": status, **changes})


def account_map(*lines: Object, **changes: object) -> Object:
    """The numbers of DE's accounts from 2026 on."""
    return {"legal_entity_id": "DE", "version": 1, "effective_from": "2026-01-01", "lines": lines, **changes}


def ready_task(terms: Object | None = None) -> Task:
    """A task that knows the card, the person, the year 2026 and one engagement."""
    task = Task()
    task.refer("rate-cards", rate_card())
    task.refer("resources", resource())
    task.refer("periods", year())
    task.send("engagements", terms or engagement())
    task.clear()
    task.outcomes.clear()
    return task
