"""A CSV to records: ids, statuses, names, dates, terms, periods; and each way a row is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billtide.app.intake.plan import Plan, plan
from billtide.app.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = "id,day,project,who,hours,state,free"
MAP = """
source = "sheet"
legal_entity_id = "DE"
{top}
[file]
{file}
[entry]
id = {{ {id} }}
engagement_id = {{ column = "project", rename = {{ "Old" = "New" }} }}
resource_id = {{ column = "who" }}
work_date = {{ column = "day" }}
quantity = {{ column = "hours", unit = "hour" }}
status = {{ column = "state", values = {{ "OK" = "approved", "sent" = "submitted" }} }}
billable = {{ column = "free", values = {{ "x" = false }}, otherwise = true }}
{entry}
{end}
"""
TERMS = """
[engagements]
id = { column = "client" }
currency = { fixed = "EUR" }
contract_type = { column = "kind", values = { hours = "time_and_materials", flat = "retainer", own = "internal" } }
rate = { column = "price" }
fee = { column = "price" }
term = { column = "per", values = { "m" = "month", "q" = "quarter" } }
[periods]
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Plan]:
    """Reads rows by the mapping above, with parts of it replaced."""

    def run(*rows: str, head: str = HEAD, terms: str = "", encoding: str = "utf-8", **parts: str) -> Plan:
        filled = {"top": "", "file": "", "id": 'column = "id"', "entry": "", "end": ""} | parts
        mapping, sheet, terms_file = tmp_path / "map.toml", tmp_path / "sheet.csv", tmp_path / "terms.csv"
        mapping.write_text(MAP.format(**filled), encoding="utf-8")
        sheet.write_text("\n".join([head, *rows]) + "\n", encoding=encoding)
        terms_file.write_text(terms, encoding="utf-8")
        return plan(mapping, sheet, terms_file if terms else None)

    return run


def values(found: Plan, stream: str = "time-entries") -> list[dict[str, Any]]:
    """What would be sent to a stream, as JSON objects."""
    return [json.loads(value or b"") for _, value, _ in found.records.get(stream, [])]


def test_a_row_becomes_an_entry(read: Callable[..., Plan]) -> None:
    """Each mapped column lands in its field, names are renamed, values translated, blanks trimmed."""
    found = read("7, 2026-11-20 ,Old,ann,7.50,OK,x")

    assert found.refused == []
    assert values(found) == [
        {"source": "sheet", "id": "7", "revision": 1, "engagement_id": "New", "resource_id": "ann"}
        | {"work_date": "2026-11-20", "quantity": "7.50", "status": "approved", "billable": False}
    ]


def test_a_record_has_the_key_and_headers_of_its_stream(read: Callable[..., Plan]) -> None:
    """The key is the engagement, the event id the entry's revision, the type that of the stream."""
    key, _, headers = read("7,2026-11-20,New,ann,7,OK,").records["time-entries"][0]

    assert key == b"New"
    assert dict(headers)["ce_id"] == b"sheet:7:1"
    assert dict(headers)["ce_type"] == b"billtide.time-entry.v1"


def test_built_ids_are_stable_and_apart(read: Callable[..., Plan]) -> None:
    """Equal cells get a running number, the same each time; a # in a cell cannot pass for one."""
    rows = ["1,2026-11-20,A,ann,1,OK,", "1,2026-11-20,A,ann,2,OK,", "1,2026-11-20,A#2,ann,3,OK,"]
    first, again = (values(read(*rows, id='columns = ["day", "project"]')) for _ in range(2))

    assert [entry["id"] for entry in first] == ["2026-11-20/A", "2026-11-20/A#2", "2026-11-20/A##2"]
    assert first == again


def test_a_refused_row_does_not_move_the_ids_of_others(read: Callable[..., Plan]) -> None:
    """When a bad row is corrected later, the rows after it keep their ids."""
    good, bad = "1,2026-11-20,A,ann,1,OK,", "1,2026-11-20,A,ann,?,OK,"
    how = 'columns = ["day", "project"]'

    assert values(read(good, bad, good, id=how))[-1]["id"] == values(read(good, good, good, id=how))[-1]["id"]


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        pytest.param("7,20.11.2026,A,ann,7,OK,", "day", "'20.11.2026' is in none of the formats %Y-%m-%d", id="date"),
        pytest.param("7,2026-11-20,A,ann,seven,OK,", "hours", "'seven' is not a number", id="hours"),
        pytest.param(
            "7,2026-11-20,A,ann,7,ok,", "state", "'ok' is not among the mapped values 'OK', 'sent'", id="state"
        ),
        pytest.param("7,2026-11-20,,ann,7,OK,", "project", "the cell is empty", id="no engagement"),
        pytest.param(",2026-11-20,A,ann,7,OK,", "id", "the cell is empty", id="no id"),
        pytest.param("7,2026-11-20,A,ann,7", "", "it has 5 cells, the header 7", id="short row"),
        pytest.param("7,2026-11-20,A,ann,7.1234567,OK,", "hours", "more than 6 decimal places", id="places"),
        pytest.param(f"7,2026-11-20,{'A' * 201},ann,7,OK,", "project", "length <= 200", id="too long"),
    ],
)
def test_a_bad_row_names_row_column_problem_and_fix(
    read: Callable[..., Plan], row: str, column: str, problem: str
) -> None:
    """A refusal carries the row as a spreadsheet counts it, the column, what is wrong, and a fix; others are kept."""
    found = read("1,2026-11-20,A,ann,7,OK,", row)
    (refusal,) = found.refused

    assert (refusal.file, refusal.row, refusal.column) == ("sheet.csv", 3, column)
    assert problem in refusal.problem
    assert refusal.fix
    assert (found.rows, len(values(found))) == (2, 1)


def test_the_same_id_twice_is_refused(read: Callable[..., Plan]) -> None:
    """A second row with id and revision of an earlier one would silently not be billed."""
    (refusal,) = read("7,2026-11-20,A,ann,7,OK,", "7,2026-11-21,A,ann,7,OK,").refused

    assert refusal.problem == "id '7' revision 1 is already in row 2"


def test_a_revision_of_five_thousand_digits_is_refused(read: Callable[..., Plan]) -> None:
    """Python does not read so long a number; the row is refused like any other."""
    row = f"7,2026-11-20,A,ann,7,OK,,{'9' * 5_000}"
    (refusal,) = read(row, head=f"{HEAD},version", entry='revision = { column = "version" }').refused

    assert (refusal.column, refusal.problem) == ("version", f"{'9' * 40!r} is not a whole number from 1 on")


def test_a_revision_column_lets_a_correction_through(read: Callable[..., Plan]) -> None:
    """The same id with a higher revision is another version of the entry; a revision that is no number is refused."""
    how = {"head": f"{HEAD},version", "entry": 'revision = { column = "version" }'}
    found = read("7,2026-11-20,A,ann,7,OK,,1", "7,2026-11-20,A,ann,6,OK,,2", "8,2026-11-20,A,ann,6,OK,,v3", **how)

    assert [entry["revision"] for entry in values(found)] == [1, 2]
    assert [refusal.column for refusal in found.refused] == ["version"]


def test_european_files_are_read(read: Callable[..., Plan]) -> None:
    """Semicolons, decimal commas, day-first dates and an old code page, when the mapping says so."""
    file = 'delimiter = ";"\ndecimal_comma = true\ndate_formats = ["%d.%m.%Y"]\nencoding = "cp1252"'
    found = read("7;20.11.2026;Köln;jürgen;7,25;OK;", head=HEAD.replace(",", ";"), file=file, encoding="cp1252")

    (entry,) = values(found)
    assert (entry["engagement_id"], entry["resource_id"]) == ("Köln", "jürgen")
    assert (entry["quantity"], entry["work_date"]) == ("7.25", "2026-11-20")


def test_terms_become_engagements(read: Callable[..., Plan]) -> None:
    """Hourly is time and materials at the rate, flat is a retainer with fee and term, own is internal."""
    terms = "client,kind,price,per\nA,hours,90.50,m\nB,flat,800,q\nC,own,,\n"
    found = read("7,2026-11-20,A,ann,7,OK,", terms=terms, end=TERMS)
    common = {"source": "sheet", "revision": 1, "legal_entity_id": "DE", "currency": "EUR", "start_date": "2026-11-01"}

    assert found.refused == []
    assert found.terms_rows == 3
    assert values(found, "engagements") == [
        common | {"id": "A", "customer_id": "A", "contract_type": "time_and_materials", "rates": [{"rate": "90.50"}]},
        common
        | {"id": "B", "customer_id": "B", "contract_type": "retainer", "fee": {"amount": "800", "term": "quarter"}},
        common | {"id": "C", "customer_id": "C", "contract_type": "internal"},
    ]


def test_terms_may_stand_in_the_mapping(read: Callable[..., Plan]) -> None:
    """Rows of the mapping itself serve as a terms file; cells that are left out are empty."""
    rows = 'rows = [{ client = "A", kind = "hours", price = "90", per = "" }, { client = "C", kind = "own" }]'
    found = read("7,2026-11-20,A,ann,7,OK,", end=TERMS.replace("[periods]", rows))

    assert [engagement["id"] for engagement in values(found, "engagements")] == ["A", "C"]


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        pytest.param("A,hourly,90,m", "kind", "'hourly' is not among the mapped values", id="kind"),
        pytest.param("A,hours,ninety,m", "price", "'ninety' is not a number", id="rate"),
        pytest.param("A,flat,90,y", "per", "'y' is not among the mapped values", id="term"),
        pytest.param("A,flat,,m", "price", "the cell is empty", id="no fee"),
        pytest.param("A,flat,90.123,m", "$.fee.amount", "more than 2 decimal places", id="cents"),
        pytest.param("Z,own,,", "client", "'Z' is already in row 2", id="twice"),
    ],
)
def test_bad_terms_are_refused(read: Callable[..., Plan], row: str, column: str, problem: str) -> None:
    """A row of terms is refused like a row of the sheet, under the terms file's name."""
    terms = f"client,kind,price,per\nZ,own,,\n{row}\n"
    (refusal,) = read("7,2026-11-20,A,ann,7,OK,", terms=terms, end=TERMS).refused

    assert (refusal.file, refusal.row, refusal.column) == ("terms.csv", 3, column)
    assert problem in refusal.problem


def test_periods_are_the_months_of_the_sheet(read: Callable[..., Plan]) -> None:
    """Every month from the earliest to the latest row is opened, those between included, each to its last day."""
    found = read("1,2025-12-31,A,ann,7,OK,", "2,2026-02-01,A,ann,7,OK,", end="[periods]")

    assert [(period["id"], period["end_date"], period["status"]) for period in values(found, "periods")] == [
        ("2025-12", "2025-12-31", "open"),
        ("2026-01", "2026-01-31", "open"),
        ("2026-02", "2026-02-28", "open"),
    ]


def test_periods_may_be_named(read: Callable[..., Plan]) -> None:
    """first and last of the mapping win over the dates of the sheet; the wrong way round is refused."""
    row = "1,2026-11-20,A,ann,7,OK,"
    found = read(row, end='[periods]\nfirst = "2026-10"\nlast = "2026-12"')

    assert [period["id"] for period in values(found, "periods")] == ["2026-10", "2026-11", "2026-12"]
    with pytest.raises(RefusedError, match=r"periods: from 2026-12 to 2026-10 are -1 months"):
        read(row, end='[periods]\nfirst = "2026-12"\nlast = "2026-10"')


def test_what_entries_need_comes_first(read: Callable[..., Plan]) -> None:
    """Periods, people and engagements stand before the entries; people have their cost rate."""
    people = 'resources = [{ id = "ann", cost_rate = "45.00", currency = "EUR", role = "analyst" }]'
    terms = "client,kind,price,per\nA,hours,90,m\n"
    found = read("7,2026-11-20,A,ann,7,OK,", top=people, terms=terms, end=TERMS)

    assert list(found.records) == ["periods", "resources", "engagements", "time-entries"]
    assert values(found, "resources")[0]["cost_rates"] == [{"rate": "45.00", "currency": "EUR"}]


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        pytest.param(
            {"head": HEAD.replace("project", "Project")},
            "entry.engagement_id.column names the column 'project', which",
            id="missing",
        ),
        pytest.param(
            {"head": HEAD.replace("free", "day")}, "entry.work_date.column names the column 'day', which", id="twice"
        ),
        pytest.param({"file": 'encoding = "ascii"'}, "is not ascii", id="encoding"),
        pytest.param({"id": 'column = ""'}, "entry.id.column names the column ''", id="a column without a name"),
        pytest.param({"head": f"{HEAD}x{'x' * 70_000}"}, " ...", id="a header of 70,000 characters is cut"),
        pytest.param({"file": 'encoding = "utf8000"'}, "file.encoding: unknown encoding", id="unknown encoding"),
    ],
)
def test_an_unreadable_file_is_refused_whole(read: Callable[..., Plan], how: dict[str, str], sentence: str) -> None:
    """A wrong header or encoding stops before any row, with what to do."""
    with pytest.raises(RefusedError) as caught:
        read("7,2026-11-20,Köln,ann,7,OK,", **how)

    assert sentence in caught.value.message
    assert len(caught.value.message) < 2_000
    assert caught.value.exit_code == 2


def test_a_terms_file_without_its_section_is_refused(read: Callable[..., Plan]) -> None:
    """Terms cannot be read without [engagements] in the mapping."""
    with pytest.raises(RefusedError, match=r"has no \[engagements\]"):
        read("7,2026-11-20,A,ann,7,OK,", terms="client\nA\n")


@pytest.mark.parametrize("terms", ["", "client,kind,price,per\nA,own,,\n"], ids=["no terms", "a terms file"])
def test_refused_rows_are_told_before_a_missing_date(read: Callable[..., Plan], terms: str) -> None:
    """When no row can be read, the rows say why; that terms lack a first date only follows from it."""
    found = read("7,2026-11-20,A,ann,seven,OK,", terms=terms, end=TERMS)

    assert [refusal.column for refusal in found.refused] == ["hours"]
    assert "engagements" not in found.records


def test_a_sheet_without_rows_has_no_first_date(read: Callable[..., Plan]) -> None:
    """Terms begin with the first period; without a row nothing says when, so the mapping must."""
    with pytest.raises(RefusedError, match=r"engagements\.start_date is missing"):
        read(terms="client,kind,price,per\nA,own,,\n", end=TERMS)


@pytest.mark.parametrize(
    ("parts", "sentences"),
    [
        pytest.param({"end": TERMS}, ["no terms of A, B: all entries"], id="no terms"),
        pytest.param({"end": TERMS, "terms": "client,kind,price,per\nA,own,,\n"}, ["no terms of B: 1 of 2 entries"], id="a code without terms"),
        pytest.param({"end": TERMS, "terms": "client,kind,price,per\nA,own,,\nB,own,,\n"}, [], id="terms of all"),
        pytest.param({"end": ""}, [], id="terms come from elsewhere"),
    ],
)  # fmt: skip
def test_entries_without_terms_are_warned_of(
    read: Callable[..., Plan], parts: dict[str, str], sentences: list[str]
) -> None:
    """A mapping that is made for terms, used without those of a code, says what will be held and how to give them."""
    found = read("7,2026-11-20,A,ann,7,OK,", "8,2026-11-20,B,ann,7,OK,", **parts)
    rest = " will be held as engagement_unknown, unless these engagements were sent before; give their terms with --terms FILE"

    assert found.refused == []
    assert found.warnings == [sentence + rest for sentence in sentences]
