"""The mapping file: which column of a CSV means what. TOML, checked whole before a row is read."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...codecs.time_entry import EntryStatus
from ..refusal import RefusedError
from .mapping_problems import CURRENCY, MONEY, MONTH, SYSTEM_NAME, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")

Identifier = Annotated[str, Field(min_length=1, max_length=200)]
Money = Annotated[str, Field(pattern=MONEY)]
Month = Annotated[str, Field(pattern=MONTH)]
ContractKind = Literal["time_and_materials", "retainer", "non_billable", "internal"]
Term = Literal["month", "quarter", "year"]
COLUMN_KEYS: Final = ("column", "columns", "start", "end")
"""Keys whose text names a column."""


class MappingError(RefusedError):
    """The mapping file cannot be used; each sentence names a key, what is wrong with it and how to mend it."""


class Section(BaseModel):
    """A table of the mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def columns_named(self, path: str = "") -> Iterator[tuple[str, str]]:
        """Every key below this table that names a column, with the column."""
        for key in type(self).model_fields:
            value = getattr(self, key)
            if isinstance(value, Section):
                yield from value.columns_named(f"{path}{key}.")
            elif key in COLUMN_KEYS and value is not None:
                yield from ((f"{path}{key}", name) for name in ([value] if isinstance(value, str) else value))


class Choice(Section):
    """A table that says one thing in one of two ways."""

    @model_validator(mode="after")
    def _one_way(self) -> Choice:
        """Exactly one of the two ways."""
        given = [key for key in ("column", "columns", "fixed") if getattr(self, key, None) is not None]
        if len(given) != 1:
            other = "columns" if "columns" in type(self).model_fields else "fixed"
            found = "both" if given else "neither"
            message = f"it has {found} of `column` and `{other}`; write exactly one of them"
            raise ValueError(message)
        return self


class Named(Choice):
    """An identifier or text: a column whose cells may be renamed, or the same for every row."""

    column: str | None = None
    fixed: Identifier | None = None
    rename: dict[str, Identifier] = {}


class Chosen(Choice, Generic[T]):
    """One of a few values: a column and what its cells mean, or the same for every row.

    A cell that `values` does not list is refused, unless `otherwise` says what it means.
    """

    column: str | None = None
    fixed: T | None = None
    values: dict[str, T] = {}
    otherwise: T | None = None


class Revision(Choice):
    """The version of the entry or terms: a column of whole numbers, or the same for every row."""

    column: str | None = None
    fixed: Annotated[int, Field(ge=1)] | None = None


class EntryId(Choice):
    """The entry's id: a column, or columns joined by `/`, with `#2`, `#3` for later rows with the same cells."""

    column: str | None = None
    columns: Annotated[list[str], Field(min_length=1)] | None = None


class WorkDate(Section):
    """The date of the work."""

    column: str


class Quantity(Section):
    """How long: a column in a unit, or the time between two columns.

    clock: hours and minutes such as 7:30; iso_duration: such as PT7H30M; past_midnight: an end before its start
    is on the next day; whole_minutes: round what is no whole minute, which is refused otherwise unless exact.
    """

    column: str | None = None
    unit: Literal["hour", "minute", "second", "clock", "iso_duration"] | None = None
    start: str | None = None
    end: str | None = None
    past_midnight: bool = False
    whole_minutes: Literal["half_up", "up", "down"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Quantity:
        """A column with its unit, or start and end."""
        by_column = (self.column is not None, self.unit is not None)
        by_ends = (self.start is not None, self.end is not None)
        if not ((all(by_column) and not any(by_ends)) or (all(by_ends) and not any(by_column))):
            message = "it must say how long in one way; write `column` and `unit`, or `start` and `end`"
            raise ValueError(message)
        if self.column is not None and self.past_midnight:
            message = "past_midnight belongs to `start` and `end`; remove it"
            raise ValueError(message)
        return self


class File(Section):
    """How the CSV files are written. Formats are those of Python's strptime; the first that fits counts."""

    encoding: str = "utf-8-sig"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    decimal_comma: bool = False
    date_formats: Annotated[list[str], Field(min_length=1)] = ["%Y-%m-%d"]
    time_formats: Annotated[list[str], Field(min_length=1)] = ["%H:%M:%S", "%H:%M"]


class Entry(Section):
    """What a row of the time sheet says."""

    id: EntryId
    engagement_id: Named
    resource_id: Named
    work_date: WorkDate
    quantity: Quantity
    status: Chosen[EntryStatus]
    revision: Revision = Revision(fixed=1)
    billable: Chosen[bool] = Chosen[bool](fixed=True)
    rate: Named | None = None
    role: Named | None = None
    grade: Named | None = None
    item: Named | None = None
    task_id: Named | None = None
    assignment_id: Named | None = None
    notes: Named | None = None


class Engagements(Section):
    """What a row of the terms says. rate: per hour, for time and materials; fee and term: for a retainer.

    rows: terms written here, with the same column names as a terms file. Without start_date an engagement
    starts with the first period.
    """

    id: Named
    currency: Named
    contract_type: Chosen[ContractKind]
    customer_id: Named | None = None
    name: Named | None = None
    revision: Revision = Revision(fixed=1)
    start_date: dt.date | None = None
    end_date: dt.date | None = None
    rate: Named | None = None
    fee: Named | None = None
    term: Chosen[Term] | None = None
    billed: Literal["advance", "arrears"] = "advance"
    rows: list[dict[str, str]] = []


class Periods(Section):
    """Months to open for posting; first and last are those of the time sheet when absent."""

    first: Month | None = None
    last: Month | None = None
    revision: Annotated[int, Field(ge=1)] = 1


class Person(Section):
    """A resource and what an hour of it costs."""

    id: Identifier
    cost_rate: Money
    currency: Annotated[str, Field(pattern=CURRENCY)]
    role: str = ""
    grade: str = ""
    revision: Annotated[int, Field(ge=1)] = 1


class Mapping(Section):
    """The whole file. source: the system the time sheet comes from; part of each entry's identity."""

    source: Annotated[str, Field(min_length=1, max_length=200, pattern=SYSTEM_NAME)]
    legal_entity_id: Identifier | None = None
    file: File = File()
    entry: Entry
    engagements: Engagements | None = None
    periods: Periods | None = None
    resources: list[Person] = []

    @model_validator(mode="after")
    def _owner(self) -> Mapping:
        """Reference data belongs to a legal entity."""
        if (self.engagements or self.periods or self.resources) and self.legal_entity_id is None:
            message = "legal_entity_id is missing; engagements, periods and resources belong to one: add it at the top"
            raise ValueError(message)
        return self


def load(path: Path) -> Mapping:
    """Read a mapping file. Raises MappingError with a sentence for each problem."""
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}; give the path of a mapping file"
        raise MappingError(message) from error
    except ValueError as error:
        message = f"{path} is not TOML: {error}; mend that place"
        raise MappingError(message) from error
    try:
        return Mapping.model_validate(raw)
    except ValidationError as error:
        raise MappingError("\n".join(f"{path}: {sentence}" for sentence in sentences(error, Mapping))) from error
