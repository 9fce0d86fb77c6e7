"""What is said about bytes that do not carry the shape their topic promises."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.codecs import (
    approval,
    assignment,
    engagement,
    expense,
    fx_rate,
    invoice,
    payment,
    period,
    rate_card,
    resource,
    time_entry,
)
from billtide.codecs.errors import UndecodableError

from .. import builders as records

DECODERS = {
    "approval": (approval.decode, records.approval()),
    "assignment": (assignment.decode, records.assignment()),
    "engagement": (engagement.decode, records.engagement()),
    "expense": (expense.decode, records.expense()),
    "fx-rate": (fx_rate.decode, records.fx_rate()),
    "invoice": (invoice.decode, records.invoice()),
    "payment": (payment.decode, records.payment()),
    "period": (period.decode, records.period()),
    "rate-card": (rate_card.decode, records.rate_card()),
    "resource": (resource.decode, records.resource()),
    "time-entry": (time_entry.decode, records.time_entry()),
}
SCHEMA = "send it as the schema of this topic says (`billtide schema`)"
DECIMAL = 'write it as text, such as "6.5"'
DATE = "write it like 2026-03-02"
STATUSES = "send one of approved, deleted, draft, recalled, rejected, submitted"
UNITS = "send one of day, hour, minute, unit"
LEVELS = "send one of finance, manager, project"


def refused(value: bytes | None) -> UndecodableError:
    """The error of a time entry record."""
    with pytest.raises(UndecodableError) as caught:
        time_entry.decode(value)
    return caught.value


def entry(**changes: object) -> bytes:
    """A time entry as bytes, with something changed; None takes the field away."""
    sent = records.time_entry(**changes)
    return msgspec.json.encode({name: value for name, value in sent.items() if value is not None})


@pytest.mark.parametrize("name", DECODERS)
def test_each_input_is_read(name: str) -> None:
    """A well-formed record is read as its shape; a newer sender's extra field is passed over."""
    decode, sent = DECODERS[name]

    assert decode(msgspec.json.encode(sent)) == decode(msgspec.json.encode(sent | {"added_later": 1}))


@pytest.mark.parametrize("value", [None, b""], ids=["null", "no-bytes"])
@pytest.mark.parametrize("name", DECODERS)
def test_no_value_is_empty(name: str, value: bytes | None) -> None:
    """A Kafka tombstone is no deletion here: deleting is a status."""
    with pytest.raises(UndecodableError) as caught:
        DECODERS[name][0](value)

    assert (caught.value.reason, caught.value.field) == ("empty", "")
    assert caught.value.fix == "send the object; to delete an entry send it with status deleted"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"{", id="cut-off"),
        pytest.param(b"not json", id="text"),
        pytest.param(b"\x00\x00\x00\x00\x01abc", id="registry-framed"),
        pytest.param(b'\xef\xbb\xbf{"source":"psa"}', id="byte-order-mark"),
        pytest.param(entry() + b"{}", id="two-objects"),
        pytest.param(entry(notes="x").replace(b'"x"', b'"\xff"'), id="not-utf-8"),
        pytest.param(entry(notes="x").replace(b'"x"', b'"\\ud800"'), id="half-a-surrogate-pair"),
        pytest.param(b'{"a":' + b"[" * 100_000, id="deeply-nested"),
        pytest.param(b"[" * 100_000, id="deeply-nested-array"),
        pytest.param(entry(notes="x").replace(b'"x"', b"NaN"), id="nan"),
    ],
)
def test_what_is_no_json_is_malformed(value: bytes) -> None:
    """Anything that is not one UTF-8 JSON object is refused as a whole."""
    error = refused(value)

    assert (error.reason, error.field) in {("malformed", ""), ("invalid_field", "")}


@pytest.mark.parametrize(
    ("value", "field", "problem", "fix"),
    [
        pytest.param(b"[]", "", "Expected `object`, got `array`", SCHEMA, id="array"),
        pytest.param(b"null", "", "Expected `object`, got `null`", SCHEMA, id="null"),
        pytest.param(entry(quantity=None), "$.quantity", "Object missing required field `quantity`", SCHEMA, id="missing-field"),
        pytest.param(entry(quantity=7.5), "$.quantity", "Expected `str`, got `float`", DECIMAL, id="a-float-for-a-decimal"),
        pytest.param(entry(quantity=8), "$.quantity", "Expected `str`, got `int`", DECIMAL, id="an-int-for-a-decimal"),
        pytest.param(entry(rate=8), "$.rate", "Expected `str | null`, got `int`", DECIMAL, id="an-int-for-an-optional-decimal"),
        pytest.param(entry(id=8), "$.id", "Expected `str`, got `int`", "write it as text, in quotes", id="an-int-for-an-id"),
        pytest.param(entry(quantity="1" * 41), "$.quantity", "Expected `str` of length <= 40", SCHEMA, id="decimal-too-long"),
        pytest.param(entry(revision=0), "$.revision", "Expected `int` >= 1", SCHEMA, id="revision-zero"),
        pytest.param(entry(revision=2**53 + 1), "$.revision", "Expected `int` <= 9007199254740992", SCHEMA, id="revision-beyond-javascript"),
        pytest.param(entry(revision="1"), "$.revision", "Expected `int`, got `str`", SCHEMA, id="revision-as-text"),
        pytest.param(entry(revision=True), "$.revision", "Expected `int`, got `bool`", SCHEMA, id="revision-as-bool"),
        pytest.param(entry(status="aproved"), "$.status", "Invalid enum value 'aproved'", STATUSES, id="status"),
        pytest.param(entry(unit="week"), "$.unit", "Invalid enum value 'week'", UNITS, id="unit"),
        pytest.param(entry(unit=1), "$.unit", "Expected `str`, got `int`", UNITS, id="unit-as-number"),
        pytest.param(entry(work_date="2026-02-30"), "$.work_date", "Invalid RFC3339 encoded date", DATE, id="no-such-day"),
        pytest.param(entry(work_date="20.11.2026"), "$.work_date", "Invalid RFC3339 encoded date", DATE, id="local-date"),
        pytest.param(entry(id=""), "$.id", "Expected `str` of length >= 1", SCHEMA, id="empty-id"),
        pytest.param(entry(id="x" * 201), "$.id", "Expected `str` of length <= 200", SCHEMA, id="long-id"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(value: bytes, field: str, problem: str, fix: str) -> None:
    """The field's JSON path, what is wrong with it, and how to write it or where the shape is described."""
    error = refused(value)

    assert ("invalid_field", field, problem, fix) == (error.reason, error.field, error.problem, error.fix)


@pytest.mark.parametrize(
    ("changed", "field", "fix"),
    [
        pytest.param({"rates": [{"rate": "1"}, {}]}, "$.rates[1].rate", SCHEMA, id="missing"),
        pytest.param({"rates": [{"rate": "1"}, {"rate": 2}]}, "$.rates[1].rate", DECIMAL, id="decimal"),
        pytest.param({"rates": [{"rate": "1", "unit": "week"}]}, "$.rates[0].unit", "send one of day, hour", id="value"),
        pytest.param({"policies": {"approval_levels": ["boss"]}}, "$.policies.approval_levels[0]", LEVELS, id="item-of-a-list"),
        pytest.param({"fee": {"amount": "1", "term": "week"}}, "$.fee.term", "send one of month, quarter, year", id="optional-object"),
    ],
)  # fmt: skip
def test_a_field_further_in_is_named_with_its_place(changed: dict[str, object], field: str, fix: str) -> None:
    """The path leads into lists and objects, and the fix is that of the field found there."""
    with pytest.raises(UndecodableError) as caught:
        engagement.decode(msgspec.json.encode(records.engagement(**changed)))

    assert (caught.value.field, caught.value.fix) == (field, fix)


@pytest.mark.parametrize("version", [0, 2, "1"])
def test_another_schema_version_is_unsupported(version: object) -> None:
    """A worker that is too old says so, rather than misreading."""
    error = refused(entry(schema_version=version))

    assert (error.reason, error.field) == ("unsupported_version", "$.schema_version")
    assert "upgrade the worker or the sender" in error.fix


@pytest.mark.parametrize(
    ("version", "read"), [pytest.param(1, True, id="1"), pytest.param(2, True, id="2"), pytest.param(3, False, id="3")]
)
def test_a_rate_card_has_a_second_schema_version(version: int, *, read: bool) -> None:
    """In it a line may name a person or a region, which a worker of the first would pass over."""
    sent = msgspec.json.encode(records.rate_card(schema_version=version))
    if read:
        assert rate_card.decode(sent).schema_version == version
    else:
        with pytest.raises(UndecodableError) as caught:
            rate_card.decode(sent)
        assert caught.value.fix == "this worker reads schema_version 1 or 2; upgrade the worker or the sender"


def test_the_first_schema_version_may_be_said() -> None:
    """schema_version 1 and none at all are the same."""
    assert time_entry.decode(entry()) == time_entry.decode(entry(schema_version=1))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    """No bytes raise anything but an UndecodableError."""
    for decode, _ in DECODERS.values():
        with pytest.raises(UndecodableError):
            decode(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(DECODERS)), st.data(), json_values)
def test_any_value_in_any_field_is_read_or_refused(name: str, data: st.DataObject, value: object) -> None:
    """Whatever JSON a sender puts into a field, the record is read or refused with a reason, a problem and a fix."""
    decode, sent = DECODERS[name]
    field = data.draw(st.sampled_from(sorted(sent)))
    try:
        decode(msgspec.json.encode(sent | {field: value}))
    except UndecodableError as error:
        assert error.problem
        assert error.fix
        assert error.field == "" or error.field.startswith(f"$.{field}")


def test_what_an_error_quotes_is_cut() -> None:
    """A value of any length does not make a message of that length."""
    error = refused(entry(unit="x" * 70_000))

    assert error.problem == "Invalid enum value '" + "x" * 480 + " ..."
    assert error.fix == UNITS


def test_an_error_reads_as_a_sentence() -> None:
    """Field, problem and fix, in this order; the whole record where no field is meant."""
    assert str(refused(entry(unit="week"))) == f"$.unit: Invalid enum value 'week'; {UNITS}"
    assert str(refused(None)).startswith("record: the record has no value; ")
