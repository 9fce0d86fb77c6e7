"""Rows of a time sheet to time entries, each with an id that stays the same when the file is sent again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ...codecs.errors import UndecodableError
from ...codecs.time_entry import TimeEntry
from ...codecs.wire import encode
from . import cells
from .admission import admit
from .cells import CellError, Row
from .quantities import quantity
from .sheet import Refusal

if TYPE_CHECKING:
    import datetime as dt

    from ...agents.outbox import OutputRecord
    from .mapping import EntryId, Mapping
    from .sheet import Sheet

STREAM: Final = "time-entries"


class Identities:
    """Ids of the rows of one file, in their order.

    Cells are joined by `/`; rows with the same cells are told apart by a running number. A `#` inside a cell is
    doubled, so that a numbered id is never the id of another row.
    """

    def __init__(self, how: EntryId) -> None:
        """Start before the first row."""
        self._how = how
        self._seen: Counter[str] = Counter()

    def of(self, row: Row) -> str:
        """Id of the next row."""
        if self._how.columns is None:
            return row.text(self._how.column or "")
        joined = "/".join(row.cells[column].strip().replace("#", "##") for column in self._how.columns)
        self._seen[joined] += 1
        count = self._seen[joined]
        return joined if count == 1 else f"{joined}#{count}"


class Entries:
    """Time entries of one file: the records to send, the rows refused, the dates worked on."""

    def __init__(self, mapping: Mapping, name: str) -> None:
        """Start without rows; `name` is the file's, for messages."""
        self._mapping = mapping
        self._name = name
        self._identities = Identities(mapping.entry.id)
        self._rows: dict[tuple[str, int], int] = {}
        self.records: Final[list[OutputRecord]] = []
        self.refused: Final[list[Refusal]] = []
        self.dates: Final[set[dt.date]] = set()

    def take(self, sheet: Sheet) -> None:
        """Read every row."""
        self.refused.extend(sheet.refused)
        for row in sheet.rows:
            try:
                entry = self._entry(row)
                record = admit(STREAM, encode(entry))
            except CellError as error:
                self._refuse(row, error.column, error.problem, error.fix)
            except UndecodableError as error:
                self._refuse(row, self._column_of(error.field), error.problem, error.fix)
            else:
                self.records.append(record)
                self.dates.add(entry.work_date)
        self.refused.sort(key=lambda refusal: refusal.row)

    def _entry(self, row: Row) -> TimeEntry:
        how, file = self._mapping.entry, self._mapping.file
        entry_id = self._identities.of(row)
        amount, unit = quantity(row, how.quantity, file)
        rate = cells.named(row, how.rate)
        entry = TimeEntry(
            source=self._mapping.source,
            id=entry_id,
            revision=cells.revision(row, how.revision),
            engagement_id=cells.required(row, how.engagement_id),
            resource_id=cells.required(row, how.resource_id),
            work_date=cells.date(row, how.work_date.column, file),
            quantity=amount,
            unit=unit,
            status=cells.chosen(row, how.status),
            billable=cells.chosen(row, how.billable),
            rate=cells.decimal(rate, how.rate.column or "entry.rate", file) if rate and how.rate else None,
            role=cells.named(row, how.role),
            grade=cells.named(row, how.grade),
            item=cells.named(row, how.item),
            task_id=cells.named(row, how.task_id),
            assignment_id=cells.named(row, how.assignment_id),
            notes=cells.named(row, how.notes),
        )
        self._check_new(row, entry)
        return entry

    def _check_new(self, row: Row, entry: TimeEntry) -> None:
        """A second row with the same id and revision would be taken for a copy of the first and not be billed."""
        first = self._rows.setdefault((entry.id, entry.revision), row.number)
        if first != row.number:
            column = self._mapping.entry.id.column or ""
            problem = f"id {entry.id!r} revision {entry.revision} is already in row {first}"
            raise CellError(column, problem, "give it an id or a revision of its own, or build ids from columns")

    def _column_of(self, field: str) -> str:
        """The column behind a field that the agent refused, as far as the mapping tells."""
        how = getattr(self._mapping.entry, field.removeprefix("$."), None)
        return getattr(how, "column", None) or field

    def _refuse(self, row: Row, column: str, problem: str, fix: str) -> None:
        self.refused.append(Refusal(self._name, row.number, column, problem, fix))
