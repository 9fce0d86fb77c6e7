"""The graph as data: every topic, its key, how long it is kept, who reads and who writes it. Checked on import.

Topics are created, checked, documented and consumed from this one value. Partition P of every input, of the
changelog and of every output keyed by engagement belongs to task P, so their partition counts are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ..codecs import (
    account_map,
    accrual,
    approval,
    assignment,
    audit,
    billing,
    dead_letter,
    engagement,
    exception,
    expense,
    figures,
    forecast,
    fx_rate,
    invoice,
    payment,
    period,
    posting_state,
    rate_card,
    re_drive,
    resource,
    revenue,
    time_entry,
)
from .refusal import RefusedError

Role = Literal["input", "reference", "output", "changelog", "operator"]
"""What a stream is to the tasks; they neither read nor write one of role operator: commands do."""


class TopologyError(RefusedError):
    """The graph contradicts itself."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A topic. agent: name of the function in agents/ that reads it as an input of the tasks.

    retention_hours: None keeps records for ever; a compacted stream keeps the latest of each key.
    keyed_by_engagement: a task writes it to its own partition; other outputs go where their key hashes to.
    """

    name: str
    role: Role
    key: str
    event_type: str
    about: str
    agent: str = ""
    compacted: bool = False
    retention_hours: int | None = None
    single: bool = False
    keyed_by_engagement: bool = True

    def partitions(self, tasks: int) -> int:
        """Partitions of its topic, given the number of tasks."""
        return 1 if self.single else tasks

    @property
    def ours(self) -> bool:
        """Whether billtide itself writes it; its records have the broker's time then."""
        return self.role in {"output", "changelog", "operator"}

    @property
    def cleanup_policy(self) -> str:
        """Kafka's word for how old records go."""
        return "compact" if self.compacted else "delete"


@dataclass(frozen=True, slots=True)
class Topology:
    """All streams. inputs: read by tasks, one agent each; written: what a task's transaction may write to."""

    streams: tuple[Stream, ...]

    @property
    def inputs(self) -> tuple[Stream, ...]:
        """Streams the tasks read, those they write themselves included."""
        return tuple(stream for stream in self.streams if stream.agent)

    @property
    def references(self) -> tuple[Stream, ...]:
        """Streams every worker reads whole."""
        return tuple(stream for stream in self.streams if stream.role == "reference")

    @property
    def outputs(self) -> tuple[Stream, ...]:
        """Streams the tasks write, without the changelog."""
        return tuple(stream for stream in self.streams if stream.role == "output")

    @property
    def changelog(self) -> Stream:
        """The stream that holds the state of the tasks."""
        return next(stream for stream in self.streams if stream.role == "changelog")

    def stream(self, name: str) -> Stream:
        """Find a stream; raises TopologyError with the known names."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        message = f"no stream {name!r}; there are {', '.join(stream.name for stream in self.streams)}"
        raise TopologyError(message)

    def problems(self) -> list[str]:
        """Sentences about what contradicts itself; empty when the graph is sound."""
        names = [stream.name for stream in self.streams]
        found = [f"stream {name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
        if sum(stream.role == "changelog" for stream in self.streams) != 1:
            found.append("there must be exactly one changelog")
        for stream in self.streams:
            found += _problems_of(stream)
        return found


def _problems_of(stream: Stream) -> list[str]:
    found = []
    if stream.agent and stream.single:
        found.append(f"{stream.name} is read by tasks and needs a partition for each")
    kept = stream.compacted or (stream.role == "reference" and stream.retention_hours is None)
    if stream.role in {"reference", "changelog"} and not kept:
        found.append(f"{stream.name} is read from its start and must be compacted, or kept for ever")
    if stream.compacted and stream.retention_hours is not None:
        found.append(f"{stream.name} is compacted: retention does not apply")
    if stream.role == "input" and not stream.agent:
        found.append(f"{stream.name} is an input that no agent reads")
    return found


def _input(name: str, event_type: str, agent: str, about: str) -> Stream:
    return Stream(name, "input", "engagement id", event_type, about, agent=agent)


def _reference(name: str, key: str, event_type: str, about: str) -> Stream:
    return Stream(name, "reference", key, event_type, about, compacted=True, single=True)


def _output(name: str, event_type: str, about: str) -> Stream:
    return Stream(name, "output", "engagement id", event_type, about)


TOPOLOGY: Final = Topology(
    (
        _input("time-entries", time_entry.TYPE, "time_entries", "Hours as entered, corrected and deleted in the PSA"),
        _input("expenses", expense.TYPE, "expenses", "Expense lines as entered, corrected and deleted"),
        _input("approvals", approval.TYPE, "approvals", "Verdicts on entries: approved, rejected, recalled"),
        _input("engagements", engagement.TYPE, "engagements", "Contract terms of an engagement, revision by revision"),
        _input("assignments", assignment.TYPE, "assignments", "Planned work of a person on an engagement"),
        _input("invoices", invoice.TYPE, "invoices", "Invoices and credit notes of the ERP, with the lines they name"),
        _input("payments", payment.TYPE, "payments", "Payments of customers, with the invoices they settle"),
        Stream(
            "rate-cards",
            "reference",
            "rate card id/version",
            rate_card.TYPE,
            "Prices by role, grade or item, with their dates; every record is kept: the first of a version counts",
            single=True,
        ),
        _reference("resources", "resource id", resource.TYPE, "People: role, grade, capacity, cost rates"),
        _reference("fx-rates", "base/quote/valid from", fx_rate.TYPE, "Exchange rates with their dates"),
        _reference("periods", "legal entity id/period id", period.TYPE, "Accounting periods, open or closed"),
        Stream(
            "account-maps",
            "reference",
            "legal entity id/version",
            account_map.TYPE,
            "Account numbers of a legal entity's own books; every record is kept: the first of a version counts",
            single=True,
        ),
        _output("billing", billing.TYPE, "Billing lines and their reversals"),
        _output("accruals", accrual.TYPE, "Work in progress and cost, accrued and reversed"),
        _output("revenue", revenue.TYPE, "Revenue recognised, with its journal lines"),
        _output("exceptions", exception.TYPE, "Entries that wait: what for, and when the wait ends"),
        Stream(
            "assignment-forecasts",
            "output",
            "resource id",
            forecast.FORECAST_TYPE,
            "Planned hours and cost of an assignment by week; read back by the task of the person",
            agent="utilisation",
            keyed_by_engagement=False,
        ),
        Stream(
            "utilisation",
            "output",
            "resource id",
            forecast.UTILISATION_TYPE,
            "A person's planned week over all assignments",
            compacted=True,
            keyed_by_engagement=False,
        ),
        Stream(
            "engagement-figures",
            "output",
            "engagement id",
            figures.TYPE,
            "Running totals of an engagement",
            compacted=True,
        ),
        Stream(
            "posting-states",
            "output",
            "billing event id",
            posting_state.TYPE,
            "How far a billing event has come in the ERP: invoiced, partly paid, paid, credited",
            compacted=True,
        ),
        Stream("audit", "output", "task", audit.TYPE, "What became of each record of an entry, chained by hashes"),
        _output("dead-letters", dead_letter.TYPE, "Records that cannot be decoded, as they came, and why"),
        Stream(
            "re-drives",
            "operator",
            "dead letter",
            re_drive.TYPE,
            "Dead letters that were corrected or sent again: who did it, and why",
            single=True,
        ),
        Stream(
            "state-changelog",
            "changelog",
            "table and key",
            "",
            "State of the tasks; restored from here when a task moves",
            compacted=True,
        ),
    )
)

if _found := TOPOLOGY.problems():
    raise TopologyError("\n".join(_found))
