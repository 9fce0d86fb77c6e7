"""The schemas: what is committed is what the code says, and what the code sends is what the schemas allow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from billtide.app import schema
from billtide.app.settings import Settings
from billtide.app.shapes import SHAPES
from billtide.app.topology import TOPOLOGY
from billtide.codecs import dead_letter
from billtide.codecs.wire import encode

COMMITTED = Path(__file__).resolve().parents[2] / "schema"

_entry = {"source": "psa", "revision": 1, "engagement_id": "E-1"}
_event = {"entry_id": "1", "source": "psa", "revision": 1, "engagement_id": "E-1", "legal_entity_id": "DE"}
_dates = {"work_date": "2026-11-20", "accounting_date": "2026-11-20"}
_lines = [
    {"account": "work_in_progress", "side": "debit", "amount": "10.00"},
    {"account": "accrued_revenue", "side": "credit", "amount": "10.00"},
]
EXAMPLES: dict[str, dict[str, Any]] = {
    "time-entries": _entry
    | {"id": "1", "resource_id": "R-1", "work_date": "2026-11-20", "quantity": "7.50", "status": "approved"}
    | {"unit": "minute", "billable": False, "rate": "120.50", "notes": "Migration"},
    "expenses": _entry
    | {"id": "2", "resource_id": "R-1", "spent_on": "2026-11-20", "category": "travel", "amount": "99.90"}
    | {"currency": "EUR", "status": "submitted"},
    "approvals": {"source": "psa", "entry_id": "1", "entry_revision": 1, "engagement_id": "E-1"}
    | {"verdict": "approved", "level": "finance", "sequence": 2},
    "audit": {"task": 3, "sequence": 7, "stream": "time-entries", "reference": {"periods": 2}, "hash": "5a" * 32}
    | {"rows": [[15, 1, "applied", "time", "psa", "1", 1, "E-1", ["psa:time:1:1:cost:0"]]]},
    "engagements": {"source": "crm", "id": "E-1", "revision": 3, "customer_id": "C-1", "legal_entity_id": "DE"}
    | {"currency": "EUR", "contract_type": "retainer", "start_date": "2026-01-01", "end_date": "2026-12-31"}
    | {"rates": [{"rate": "120.50", "role": "analyst"}], "fee": {"amount": "500", "term": "quarter"}}
    | {"cap": {"amount": "1000.00", "mode": "hold"}, "policies": {"rounding": "half_even"}},
    "assignments": _entry | {"id": "3", "resource_id": "R-1", "weeks": [{"week": "2026-11-16", "hours": "32"}]},
    "invoices": _entry
    | {"source": "erp", "id": "I-1", "number": "2026-17", "issued_on": "2026-11-30", "currency": "USD"}
    | {"lines": [{"billing_id": "psa:time:1:1:billing:0", "amount": "500"}], "kind": "credit_note", "invoice_id": "I-0"}
    | {"fx_rate": "0.6072", "base_currency": "GBP", "tax_amount": "95"},
    "payments": _entry
    | {"source": "erp", "id": "P-1", "received_on": "2026-12-15", "amount": "500", "currency": "USD"}
    | {"allocations": [{"invoice_id": "I-1", "amount": "500"}], "fx_rate": "0.6081", "base_currency": "GBP"},
    "re-drives": {"letter": "time-entries:3:17", "number": 1, "action": "re_driven", "by": "finance"}
    | {"why": "clock export mended", "value": "{}", "stream": "time-entries", "partition": 3, "offset": 18},
    "posting-states": {"billing_id": "psa:time:1:1:billing:0", "engagement_id": "E-1", "state": "paid"}
    | {"invoiced": "500.00", "credited": "0.00", "currency": "USD", "documents": ["2026-17"]},
    "rate-cards": {"id": "standard", "version": 1, "scope": "default", "currency": "EUR"}
    | {"effective_from": "2026-01-01", "lines": [{"rate": "120.50", "role": "analyst"}]},
    "resources": {"id": "R-1", "revision": 1, "legal_entity_id": "DE"}
    | {"cost_rates": [{"rate": "80", "currency": "EUR", "effective_from": "2026-01-01"}]},
    "fx-rates": {"base": "USD", "quote": "EUR", "valid_from": "2026-11-01", "rate": "0.9213"},
    "account-maps": {"legal_entity_id": "DE", "version": 1, "effective_from": "2026-01-01"}
    | {"lines": [{"account": "revenue", "number": "4000", "category": "travel"}]},
    "periods": {"legal_entity_id": "DE", "id": "2026-11", "revision": 1, "status": "open"}
    | {"start_date": "2026-11-01", "end_date": "2026-11-30"},
    "billing": _event
    | _dates
    | {"id": "psa:time:1:1:billing:0", "kind": "time", "action": "charge", "customer_id": "C-1", "quantity": "7.5"}
    | {"contract_type": "time_and_materials", "unit": "hour", "rate": "120.5", "rate_unit": "hour"}
    | {"amount": "903.75", "currency": "EUR", "rounding": "half_up"}
    | {"trace": [{"step": "rate", "value": "120.5", "source": "card standard version 1"}]},
    "accruals": _event
    | _dates
    | {"id": "a", "kind": "work_in_progress", "action": "accrual", "currency": "EUR", "lines": _lines},
    "revenue": _event
    | {"id": "r", "method": "as_billed", "accounting_date": "2026-11-20", "amount": "10.00", "currency": "EUR"}
    | {"lines": _lines},
    "exceptions": {key: value for key, value in _event.items() if key != "legal_entity_id"}
    | {"id": "x", "action": "held", "reason": "rate_missing", "kind": "time", "waits_on": "rates:EUR", "message": "no"},
    "assignment-forecasts": {"assignment_source": "psa", "assignment_id": "3", "revision": 1, "engagement_id": "E-1"}
    | {"resource_id": "R-1", "week": "2026-11-16", "hours": "32", "booking": "hard", "expected_cost": "2560.00"},
    "utilisation": {"resource_id": "R-1", "week": "2026-11-16", "hard_hours": "32", "soft_hours": "0"}
    | {"capacity_hours": "40", "percent": "80.00"},
    "engagement-figures": {"engagement_id": "E-1", "currency": "EUR", "entries": 2, "held_entries": {"rate_missing": 1}}
    | dict.fromkeys(("submitted_hours", "approved_hours", "non_billable_hours", "planned_hours"), "7.5")
    | dict.fromkeys(("approved_value", "billed", "fees", "unbilled", "held", "earned", "cost", "margin"), "-1.00"),
}


def schema_of(stream: str) -> dict[str, Any]:
    """The committed schema of a stream's values."""
    name = schema.file_name(TOPOLOGY.stream(stream).event_type)
    document: dict[str, Any] = json.loads((COMMITTED / name).read_text(encoding="utf-8"))
    return document


def valid(document: dict[str, Any], value: object) -> bool:
    """Whether a schema allows a value, dates included."""
    return Draft202012Validator(document, format_checker=FormatChecker()).is_valid(value)


@pytest.fixture
def asyncapi() -> dict[str, Any]:
    """The committed AsyncAPI document."""
    document: dict[str, Any] = json.loads((COMMITTED / schema.ASYNCAPI_FILE).read_text(encoding="utf-8"))
    return document


def test_committed_schemas_are_those_of_the_code() -> None:
    """schema/ holds what the code makes; after a change of a struct run `billtide schema` and commit."""
    assert schema.first_difference(COMMITTED) is None


def test_every_stream_with_values_has_a_shape_and_an_example() -> None:
    """Only dead letters, which are other streams' bytes, and the changelog have no shape."""
    shapeless = {"dead-letters", TOPOLOGY.changelog.name}

    assert {stream.name for stream in TOPOLOGY.streams} - shapeless == set(SHAPES) == set(EXAMPLES)


@pytest.mark.parametrize("stream", SHAPES)
def test_what_the_code_encodes_the_schema_allows(stream: str) -> None:
    """A struct, encoded, is valid by its committed schema, and the schema itself is valid."""
    shape, document = SHAPES[stream], schema_of(stream)
    value = json.loads(encode(shape.decode(json.dumps(EXAMPLES[stream]).encode())))

    Draft202012Validator.check_schema(document)

    assert EXAMPLES[stream] | value == value, "the example has a field the struct does not know"
    assert valid(document, value)


@pytest.mark.parametrize("stream", SHAPES)
def test_the_schema_refuses_what_the_code_refuses(stream: str) -> None:
    """Without a required field, and with a number where decimal text belongs, an example is not valid."""
    document = schema_of(stream)
    decimals = [
        name for name, of in document["properties"].items() if of.get("description") == "Decimal number as text"
    ]

    for name in document["required"]:
        assert not valid(document, {key: value for key, value in EXAMPLES[stream].items() if key != name}), name
    for name in decimals:
        assert not valid(document, EXAMPLES[stream] | {name: 7.5}), name


@pytest.mark.parametrize("stream", SHAPES)
def test_keys_and_ids_are_made_of_fields_that_exist(stream: str) -> None:
    """The key rule and the event id name fields of the struct."""
    shape = SHAPES[stream]
    value = shape.decode(json.dumps(EXAMPLES[stream]).encode())

    assert shape.key_of(value)
    assert shape.event_id_of(value)


def test_a_key_keeps_apart_what_compaction_must_keep() -> None:
    """A card's and a map's versions, a pair's dates and kinds of rate, an entity's periods have keys of their own."""
    keys = {
        name: SHAPES[name].key_of(SHAPES[name].decode(json.dumps(EXAMPLES[name]).encode()))
        for name in ("rate-cards", "fx-rates", "periods", "account-maps", "time-entries")
    }
    average = SHAPES["fx-rates"].decode(json.dumps({**EXAMPLES["fx-rates"], "rate_type": "average"}).encode())

    assert keys == {
        "rate-cards": b"standard/1",
        "fx-rates": b"USD/EUR/2026-11-01",
        "periods": b"DE/2026-11",
        "account-maps": b"DE/1",
        "time-entries": b"E-1",
    }
    assert SHAPES["fx-rates"].key_of(average) == b"USD/EUR/2026-11-01/average"
    assert SHAPES["fx-rates"].event_id_of(average) == "USD:EUR:2026-11-01:1:average"


def test_an_approval_and_a_review_of_the_same_revision_have_ids_of_their_own() -> None:
    """Finance may decide both with the same sequence: whoever deduplicates by id must not lose one of them."""
    shape = SHAPES["approvals"]
    sent = [EXAMPLES["approvals"] | {"target": target} for target in ("entry", "correction")]
    ids = {shape.event_id_of(shape.decode(json.dumps(one).encode())) for one in sent}

    assert len(ids) == 2


def test_writing_is_repeatable(tmp_path: Path) -> None:
    """A second write changes nothing; every file is sorted, ends with a newline and has no difference."""
    assert schema.write(tmp_path) == sorted(schema.documents())
    assert schema.write(tmp_path) == []
    assert schema.first_difference(tmp_path) is None
    for file in tmp_path.iterdir():
        text = file.read_text(encoding="utf-8")
        again = json.dumps(json.loads(text), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        assert again == text


def test_the_first_difference_says_where_and_what_mends_it(tmp_path: Path) -> None:
    """A changed line, a missing file and a file too many are each told with the command; write() mends all three."""
    schema.write(tmp_path)
    file = tmp_path / "period.v1.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"future"', '"later"'), encoding="utf-8")
    changed = schema.first_difference(tmp_path) or ""
    file.unlink()
    missing = schema.first_difference(tmp_path) or ""
    schema.write(tmp_path)
    (tmp_path / "gone.v1.json").write_text('{"$id": "urn:billtide:gone:v1"}', encoding="utf-8")
    surplus = schema.first_difference(tmp_path) or ""

    assert 'line 41 is `"later",`, the code says `"future",`' in changed
    assert f"{file} is missing" in missing
    assert "gone.v1.json describes a type that is gone" in surplus
    assert all(f"billtide schema --out {tmp_path}" in said for said in (changed, missing, surplus))
    assert schema.write(tmp_path) == ["gone.v1.json"]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    """A JSON file that is no schema of ours is neither a difference nor removed."""
    (tmp_path / "package.json").write_text("{}", encoding="utf-8")
    schema.write(tmp_path)

    assert schema.first_difference(tmp_path) is None
    assert (tmp_path / "package.json").exists()


def test_the_asyncapi_document_has_what_version_3_requires(asyncapi: dict[str, Any]) -> None:
    """Version, info, channels with an address and messages, operations with an action and a channel."""
    assert asyncapi["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= asyncapi["info"].keys()
    assert set(asyncapi["channels"]) == {stream.name for stream in TOPOLOGY.streams}
    for name, channel in asyncapi["channels"].items():
        assert channel["address"] == Settings.model_fields["topic_prefix"].default + name
        assert channel["messages"]
        assert channel["bindings"]["kafka"]["partitions"] >= 1
    for operation in asyncapi["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in asyncapi["channels"]


def test_every_reference_leads_somewhere(asyncapi: dict[str, Any]) -> None:
    """Each $ref of the document finds its place in it, or a committed schema file."""

    def references(part: object) -> list[str]:
        if isinstance(part, list):
            return [ref for value in part for ref in references(value)]
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [ref for value in part.values() for ref in references(value)]
        return []

    found = references(asyncapi)

    assert found
    for ref in found:
        if ref.startswith("./"):
            assert (COMMITTED / ref).exists(), ref
            continue
        place: Any = asyncapi
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
        assert place, ref


def test_workers_receive_inputs_and_send_outputs(asyncapi: dict[str, Any]) -> None:
    """The operations are those of the topology; a stream that is read back is both sent and received."""
    operations = set(asyncapi["operations"])

    assert {f"receive-{stream.name}" for stream in (*TOPOLOGY.inputs, *TOPOLOGY.references)} <= operations
    assert {f"send-{stream.name}" for stream in TOPOLOGY.outputs} <= operations
    assert not {f"send-{stream.name}" for stream in TOPOLOGY.references} & operations


def test_dead_letters_are_described_with_their_headers(asyncapi: dict[str, Any]) -> None:
    """The headers in the document are those the codec writes, each with a sentence."""
    message = asyncapi["components"]["messages"]["dead-letters"]
    described = asyncapi["components"]["schemas"]["dead-letter-headers"]

    assert message["headers"]["$ref"].endswith("dead-letter-headers")
    assert set(described["properties"]) == {*described["required"], dead_letter.LEFT_OUT}
    assert described["required"] == [dead_letter.PREFIX + field for field in dead_letter.FIELDS]
    assert all(header["description"] for header in described["properties"].values())
