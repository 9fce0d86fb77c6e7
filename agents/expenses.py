"""Expenses in; accruals, billing and revenue events out."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import cloudevents, expense
from ..codecs.decimals import RATE_PLACES
from ..codecs.entry_state import EntryVersion
from .entries import apply_version
from .expense_lines import read_lines
from .keys import check_key
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


def version_of(sent: expense.Expense) -> EntryVersion:
    """Read an expense in units of the rules; raises UndecodableError."""
    amount, lines = read_lines(sent)
    return EntryVersion(
        "expense",
        sent.source,
        sent.id,
        sent.revision,
        sent.status,
        sent.engagement_id,
        sent.resource_id,
        sent.spent_on,
        10**RATE_PLACES,
        "unit",
        sent.billable,
        "",
        "",
        sent.category,
        sent.task_id,
        "",
        None,
        amount,
        sent.currency,
        lines=lines,
        receipt=sent.receipt,
        progress_excluded=sent.progress_excluded,
        submitted_on=sent.submitted_on,
    )
