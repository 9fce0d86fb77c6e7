"""What entries need around them: engagements from a terms file, periods to post to, people with their cost."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.engagement import Engagement, EngagementRate, Fee
from ...codecs.errors import UndecodableError
from ...codecs.period import Period
from ...codecs.resource import CostRate, Resource
from ...codecs.wire import encode
from . import cells
from .admission import admit
from .cells import CellError, Row
from .mapping import MappingError
from .sheet import Refusal, Sheet, check_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...agents.outbox import OutputRecord
    from .mapping import Engagements, Mapping, Named

MONTHS_MAX: Final = 1_200
"""Periods one mapping may open: a hundred years of months; more is a misread date."""
MONTHS_A_YEAR: Final = 12


class Months(NamedTuple):
    """A range of months, both included; a month is its year x 12 + its number from 0."""

    first: int
    last: int

    @property
    def start(self) -> dt.date:
        """First day of the first month."""
        return dt.date(self.first // MONTHS_A_YEAR, self.first % MONTHS_A_YEAR + 1, 1)


def months(mapping: Mapping, dates: Iterable[dt.date]) -> Months | None:
    """Months of the mapping, or of the time sheet where it leaves them out; None when neither knows."""
    worked = sorted(date.year * MONTHS_A_YEAR + date.month - 1 for date in dates)
    periods = mapping.periods
    first = _month(periods.first) if periods and periods.first else worked[0] if worked else None
    last = _month(periods.last) if periods and periods.last else worked[-1] if worked else None
    if first is None or last is None:
        return None
    if not 0 <= last - first < MONTHS_MAX:
        message = (
            f"periods: from {_name(first)} to {_name(last)} are {last - first + 1} months; write periods.first and "
            f"periods.last in order, at most {MONTHS_MAX} months, or correct the dates of the time sheet"
        )
        raise MappingError(message)
    return Months(first, last)


def _month(text: str) -> int:
    year, month = text.split("-")
    return int(year) * MONTHS_A_YEAR + int(month) - 1


def _name(number: int) -> str:
    return f"{number // MONTHS_A_YEAR:04}-{number % MONTHS_A_YEAR + 1:02}"


def periods(mapping: Mapping, found: Months) -> list[OutputRecord]:
    """Open periods, one a month."""
    if mapping.periods is None:
        return []
    records = []
    for number in range(found.first, found.last + 1):
        year, month = number // MONTHS_A_YEAR, number % MONTHS_A_YEAR + 1
        period = Period(
            legal_entity_id=mapping.legal_entity_id or "",
            id=_name(number),
            revision=mapping.periods.revision,
            start_date=dt.date(year, month, 1),
            end_date=dt.date(year, month, calendar.monthrange(year, month)[1]),
            status="open",
        )
        records.append(admit("periods", encode(period)))
    return records


def resources(mapping: Mapping) -> list[OutputRecord]:
    """People with their cost rates. Raises MappingError."""
    records = []
    for number, person in enumerate(mapping.resources, start=1):
        resource = Resource(
            id=person.id,
            revision=person.revision,
            legal_entity_id=mapping.legal_entity_id or "",
            role=person.role,
            grade=person.grade,
            cost_rates=(CostRate(rate=person.cost_rate, currency=person.currency),),
        )
        try:
            records.append(admit("resources", encode(resource)))
        except UndecodableError as error:
            message = f"resources[{number}]: {error.problem}; {error.fix}"
            raise MappingError(message) from error
    return records


def inline_sheet(how: Engagements) -> Sheet:
    """Terms written in the mapping itself, as rows counted from 1; keys that are left out are empty."""
    named = list(how.columns_named("engagements."))
    check_columns("engagements.rows", sorted({key for row in how.rows for key in row}), named)
    blank = {name: "" for _, name in named}
    return Sheet([Row(number, blank | row) for number, row in enumerate(how.rows, start=1)], [])


def engagements(
    mapping: Mapping, how: Engagements, sheet: Sheet, start: dt.date, name: str
) -> tuple[list[OutputRecord], list[Refusal]]:
    """Engagements of a terms file, and its rows that are refused."""
    records: list[OutputRecord] = []
    refused = list(sheet.refused)
    rows: dict[str, int] = {}
    for row in sheet.rows:
        try:
            terms = _engagement(mapping, how, row, start)
            _check_new(how, row, rows.setdefault(terms.id, row.number))
            records.append(admit("engagements", encode(terms)))
        except CellError as error:
            refused.append(Refusal(name, row.number, error.column, error.problem, error.fix))
        except UndecodableError as error:
            column = getattr(getattr(how, error.field.removeprefix("$."), None), "column", None) or error.field
            refused.append(Refusal(name, row.number, column, error.problem, error.fix))
    return records, sorted(refused, key=lambda refusal: refusal.row)


def _check_new(how: Engagements, row: Row, first: int) -> None:
    if first != row.number:
        problem = (
            f"{row.cells[how.id.column or '']!r} is already in row {first}" if how.id.column else "the id is fixed"
        )
        raise CellError(how.id.column or "", problem, "keep one row for each engagement")


def _engagement(mapping: Mapping, how: Engagements, row: Row, start: dt.date) -> Engagement:
    kind = cells.chosen(row, how.contract_type)
    engagement_id = cells.required(row, how.id)
    return Engagement(
        source=mapping.source,
        id=engagement_id,
        revision=cells.revision(row, how.revision),
        name=cells.named(row, how.name),
        customer_id=cells.named(row, how.customer_id) or engagement_id,
        legal_entity_id=mapping.legal_entity_id or "",
        currency=cells.required(row, how.currency),
        contract_type=kind,
        start_date=how.start_date or start,
        end_date=how.end_date,
        rates=_rates(mapping, how, row) if kind == "time_and_materials" else (),
        fee=_fee(mapping, how, row) if kind == "retainer" else None,
    )


def _rates(mapping: Mapping, how: Engagements, row: Row) -> tuple[EngagementRate, ...]:
    """The hourly rate; without a mapped one, shared rate cards price the work."""
    return () if how.rate is None else (EngagementRate(rate=_money(mapping, how.rate, row, "engagements.rate")),)


def _fee(mapping: Mapping, how: Engagements, row: Row) -> Fee:
    if how.fee is None or how.term is None:
        missing = "engagements.fee" if how.fee is None else "engagements.term"
        raise CellError("", f"the row is a retainer and the mapping has no {missing}", f"add {missing} to the mapping")
    amount = _money(mapping, how.fee, row, "engagements.fee")
    return Fee(amount=amount, term=cells.chosen(row, how.term), billed=how.billed)


def _money(mapping: Mapping, how: Named, row: Row, key: str) -> str:
    return cells.decimal(cells.required(row, how), how.column or key, mapping.file)
