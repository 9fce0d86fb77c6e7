"""What waits and why, read from the state the tasks keep on the changelog; and what would come of trying it again.

Committed records only, no group, no producer: workers are not disturbed, and nothing is written. A task's state is as
of the end of its changelog when it was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..agents.holds import QUIET
from ..codecs.currencies import format_amount
from ..tables.keys import SEPARATOR
from ..tables.state import TaskState
from .audit.reading import opened
from .runtime.outgoing import partition_of
from .topology import TOPOLOGY
from .whatif.present import REFERENCES, caught_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from aiokafka import ConsumerRecord

    from ..codecs.entry_state import Hold
    from .settings import Settings

ENTRIES: Final = frozenset({"time", "expense"})
DOCUMENTS: Final = {"invoice": "invoices", "payment": "payments"}
NAME_PARTS: Final = 4
"""Kind, source, engagement and id: what most things that wait are named by; the others by kind and what they are of."""


class Held(NamedTuple):
    """Something that waits. id: source:kind:id, as `billtide explain` takes it, or kind:what.

    since: when it began to wait for this, ms since 1970; revision: 0 where it has none; amount: decimal text of
    currency, None where nobody can say yet: unknown is not zero. sequence: its place in the engagement's order.
    """

    id: str
    kind: str
    engagement_id: str
    reason: str
    waits_on: str
    since: int
    sequence: int
    revision: int = 0
    amount: str | None = None
    currency: str = ""


class Attempt(NamedTuple):
    """What came of a hold in memory, with all that is on the topics. reason and waits_on are empty once it is over."""

    held: Held
    reason: str
    waits_on: str


class Asked(NamedTuple):
    """Which holds are asked for; what is empty asks for all. ids: of Held, or the last part of one.

    A reason nobody has to do anything about, such as `cap_stopped`, is given when it is asked for by name.
    """

    ids: frozenset[str] = frozenset()
    engagement: str = ""
    reason: str = ""

    def partitions(self, count: int) -> list[int]:
        """Tasks that may have some."""
        return [partition_of(self.engagement.encode(), count)] if self.engagement else list(range(count))

    def asks_for(self, held: Held) -> bool:
        """Whether a hold is one of them."""
        own = {held.id, held.id.rpartition(":")[2]}
        return (
            (not self.ids or not self.ids.isdisjoint(own))
            and self.engagement in {"", held.engagement_id}
            and (self.reason == held.reason or (not self.reason and (bool(self.ids) or held.reason not in QUIET)))
        )


class Present(NamedTuple):
    """A task's state, and when each of its holds was written, ms since 1970."""

    partition: int
    state: TaskState
    since: dict[bytes, int]


async def holds(settings: Settings, asked: Asked) -> list[Held]:
    """All holds asked for, in the order of release of each engagement."""
    found: list[Held] = []
    async for present in _tasks(settings, asked.partitions(settings.partitions)):
        found += [held for _, held in waiting(present, asked)]
    return found


async def retry(settings: Settings, asked: Asked) -> list[Attempt]:
    """Settle the holds asked for again, in memory, with all reference data there is now."""
    attempts: list[Attempt] = []
    known: dict[str, list[ConsumerRecord]] = {stream: [] for stream in REFERENCES}
    async with opened(settings, REFERENCES) as topics:
        async for present in _tasks(settings, asked.partitions(settings.partitions)):
            async for batch in topics.to_end():  # after the state, so that the state tells of nothing unknown
                known[batch.stream] += batch.records
            attempts += tried(present, asked, known)
    return attempts


def tried(present: Present, asked: Asked, known: dict[str, list[ConsumerRecord]]) -> list[Attempt]:
    """What becomes of a task's holds, settled in the order of release. The state given is used up."""
    chosen = waiting(present, asked)
    task = caught_up(present.partition, present.state, known)
    for key, _ in chosen:
        task.settle([key])
    after = task.state.holds
    return [Attempt(held, *_now(after.get(key))) for key, held in chosen]


def waiting(present: Present, asked: Asked) -> list[tuple[bytes, Held]]:
    """Holds of a task that are asked for, with their keys, in the order of release."""
    state = present.state
    found = [
        (key, held)
        for key, raw in state.holds.bytes.items()
        if asked.asks_for(held := _held(state, key, state.holds.decode(raw), present.since.get(key, 0)))
    ]
    return sorted(found, key=lambda one: (one[1].engagement_id, one[1].sequence, one[0]))


async def _tasks(settings: Settings, partitions: Iterable[int]) -> AsyncIterator[Present]:
    """Each of these tasks as its last committed transaction left it, one at a time."""
    for partition in partitions:
        state = TaskState()
        tag = state.holds.tag.encode()
        since: dict[bytes, int] = {}
        async with opened(settings, (TOPOLOGY.changelog.name,), partition) as topics:
            async for batch in topics.to_end():
                state.restore(batch.records)
                since |= _written(batch.records, tag)
        state.restored()
        yield Present(partition, state, since)


def _written(records: Sequence[ConsumerRecord], tag: bytes) -> dict[bytes, int]:
    return {record.key: record.timestamp for record in records if record.key[:1] == tag}


def _now(hold: Hold | None) -> tuple[str, str]:
    return ("", "") if hold is None else (hold.reason, hold.waits_on)


def _held(state: TaskState, key: bytes, hold: Hold, since: int) -> Held:
    kind, *rest = key[1:].decode().split(SEPARATOR)
    named = f"{rest[0]}:{kind}:{rest[-1]}" if len(rest) == NAME_PARTS - 1 else ":".join((kind, *rest))
    held = Held(named, kind, hold.engagement_id, hold.reason, hold.waits_on, since, hold.sequence)
    if kind in ENTRIES:
        return _with_value(state, key, held)
    if kind in DOCUMENTS:
        return _with_total(state, key, held)
    return held


def _with_value(state: TaskState, key: bytes, held: Held) -> Held:
    """An entry's: what of its value lies over caps, else what its latest revision is accrued at, if it is priced."""
    entry = state.entries.get(state.entries.tag.encode() + key[1:])
    if entry is None:
        return held
    engagement = state.engagements.get(state.engagements.key(held.engagement_id))
    terms = None if engagement is None else engagement.terms
    value = entry.held_value + entry.non_chargeable
    revision, accrued = entry.latest.revision, entry.work_in_progress
    if terms is not None and value:
        return _with_amount(held, revision, value, terms.currency)
    if accrued is not None and accrued.live and entry.posted is None:
        return _with_amount(held, revision, accrued.amount, accrued.currency)
    return held._replace(revision=revision)


def _with_total(state: TaskState, key: bytes, held: Held) -> Held:
    """A document's: what the ERP says it comes to."""
    if held.kind == "invoice":
        invoice = state.invoices.get(state.invoices.tag.encode() + key[1:])
        if invoice is None:
            return held
        sent = invoice.latest
        return _with_amount(held, sent.revision, sent.gross, sent.currency)
    payment = state.payments.get(state.payments.tag.encode() + key[1:])
    if payment is None:
        return held
    paid = payment.latest
    return _with_amount(held, paid.revision, paid.amount, paid.invoice_currency)


def _with_amount(held: Held, revision: int, minor: int, currency: str) -> Held:
    return held._replace(revision=revision, amount=format_amount(minor, currency), currency=currency)
