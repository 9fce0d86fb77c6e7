"""Time entries in; accruals, billing and revenue events out."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import cloudevents, time_entry
from ..codecs.decimals import QUANTITY_DIGITS_MAX, RATE_PLACES, parse_rate, parse_scaled
from ..codecs.entry_state import EntryVersion
from ..codecs.errors import UndecodableError
from .entries import apply_version
from .keys import check_key
from .shell import run
from .work import Outcome, Record, Slab, Work


async def time_entries(slabs: AsyncIterable[Slab]) -> None:
    """Apply every revision of every time entry of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one time entry record."""
    if record.headers:
        cloudevents.check_type(record.headers, time_entry.TYPE)
    entry = time_entry.decode(record.value)
    check_key(record, entry.engagement_id)
    return apply_version(work, version_of(entry))


def version_of(entry: time_entry.TimeEntry) -> EntryVersion:
    """Read a time entry in units of the rules; raises UndecodableError."""
    if entry.unit == "unit":
        raise UndecodableError("invalid_field", "$.unit", "'unit' does not measure time", "use hour, minute or day")
    quantity = parse_scaled(entry.quantity, RATE_PLACES, "$.quantity", QUANTITY_DIGITS_MAX)
    return EntryVersion(
        "time",
        entry.source,
        entry.id,
        entry.revision,
        entry.status,
        entry.engagement_id,
        entry.resource_id,
        entry.work_date,
        quantity,
        entry.unit,
        entry.billable,
        entry.role,
        entry.grade,
        entry.item,
        entry.task_id,
        entry.assignment_id,
        None if entry.rate is None else parse_rate(entry.rate, "$.rate"),
        0,
        "",
        None if entry.billable_quantity is None else _billable(entry.billable_quantity, quantity),
        entry.work_type,
        progress_excluded=entry.progress_excluded,
        submitted_on=entry.submitted_on,
    )


def _billable(text: str, quantity: int) -> int:
    """Read the quantity the customer pays for; only a correction of the worked one may be below zero."""
    billable = parse_scaled(text, RATE_PLACES, "$.billable_quantity", QUANTITY_DIGITS_MAX)
    if billable * quantity < 0:
        raise UndecodableError(
            "invalid_field",
            "$.billable_quantity",
            f"{text[:40]!r} has not the sign of the quantity",
            "send what the customer pays for, with the sign of the quantity, or 0",
        )
    return billable
