"""Expenses in; accruals, billing and revenue events out."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import cloudevents, expense
from ..codecs.currencies import parse_amount
from ..codecs.decimals import DIGITS_MAX, RATE_PLACES
from ..codecs.entry_state import EntryVersion
from .entries import apply_version, check_key
from .shell import run
from .work import Outcome, Record, Slab, Work


async def expenses(slabs: AsyncIterable[Slab]) -> None:
    """Apply every revision of every expense of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one expense record."""
    cloudevents.check_type(record.headers, expense.TYPE)
    line = expense.decode(record.value)
    check_key(record, line.engagement_id)
    return apply_version(work, version_of(line))


def version_of(line: expense.Expense) -> EntryVersion:
    """Read an expense in units of the rules; raises UndecodableError."""
    return EntryVersion(
        "expense",
        line.source,
        line.id,
        line.revision,
        line.status,
        line.engagement_id,
        line.resource_id,
        line.spent_on,
        10**RATE_PLACES,
        "unit",
        line.billable,
        "",
        "",
        line.category,
        line.task_id,
        "",
        None,
        parse_amount(line.amount, line.currency, "$.amount", DIGITS_MAX),
        line.currency,
        progress_excluded=line.progress_excluded,
    )
