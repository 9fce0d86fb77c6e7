"""Everything a CSV brings, read and checked before anything is sent: records by stream in order, rows refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...agents.outbox import OutputRecord
from . import terms
from .entries import STREAM, Entries
from .mapping import MappingError, load
from .sheet import Refusal, read

if TYPE_CHECKING:
    from pathlib import Path

    from .mapping import Mapping

SHOWN_MAX: Final = 10
"""Engagements without terms that are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be sent. records: by stream, in the order of sending, reference data and engagements first.

    warnings: sentences about what can be sent and will have to wait.
    """

    rows: int
    terms_rows: int
    records: dict[str, list[OutputRecord]]
    refused: list[Refusal]
    warnings: list[str]


def plan(mapping_file: Path, time_sheet: Path, terms_file: Path | None) -> Plan:
    """Read the mapping, the terms and the time sheet. Raises RefusedError when one of them cannot be used at all."""
    mapping = load(mapping_file)
    if terms_file is not None and mapping.engagements is None:
        message = f"{mapping_file} has no [engagements] to read {terms_file} by; add it, or leave --terms out"
        raise MappingError(message)
    sheet = read(time_sheet, mapping.file, mapping.entry.columns_named("entry."))
    entries = Entries(mapping, time_sheet.name)
    entries.take(sheet)
    before, terms_rows, refused = _around(mapping, terms_file, entries)
    records = {name: kept for name, kept in (before | {STREAM: entries.records}).items() if kept}
    warnings = [] if mapping.engagements is None else _without_terms(records)
    return Plan(sheet.size, terms_rows, records, refused + entries.refused, warnings)


def _around(
    mapping: Mapping, terms_file: Path | None, entries: Entries
) -> tuple[dict[str, list[OutputRecord]], int, list[Refusal]]:
    """Periods, people and engagements, which the entries need."""
    people = terms.resources(mapping)
    months = terms.months(mapping, entries.dates)
    opened = [] if months is None else terms.periods(mapping, months)
    records = {"periods": opened, "resources": people}
    how = mapping.engagements
    if how is None or (terms_file is None and not how.rows):
        return records, 0, []
    start = how.start_date or (months.start if months else None)
    if start is None and entries.refused:
        return records, 0, []  # the rows' own refusals say why no row has a date
    if start is None:
        message = "engagements.start_date is missing and no row of the time sheet has a date; add it"
        raise MappingError(message)
    if terms_file is None:
        sheet, name = terms.inline_sheet(how), "engagements.rows"
    else:
        sheet, name = read(terms_file, mapping.file, how.columns_named("engagements.")), terms_file.name
    sold, refused = terms.engagements(mapping, how, sheet, start, name)
    return records | {"engagements": sold}, sheet.size, refused


def _without_terms(records: dict[str, list[OutputRecord]]) -> list[str]:
    """A sentence about entries whose engagement gets no terms from this run."""
    sold = {key for key, _, _ in records.get("engagements", [])}
    keys = [key or b"" for key, _, _ in records.get(STREAM, []) if key not in sold]
    if not keys:
        return []
    names = sorted({key.decode() for key in keys})
    more = f" and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else ""
    total = len(records[STREAM])
    held = "all entries" if len(keys) == total else f"{len(keys)} of {total} entries"
    fix = "unless these engagements were sent before; give their terms with --terms FILE"
    return [f"no terms of {', '.join(names[:SHOWN_MAX])}{more}: {held} will be held as engagement_unknown, {fix}"]
