"""What a dead letter is, which are asked for, how its value differs from its schema, and what would be sent for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billtide.app.letters.difference import differences
from billtide.app.letters.history import History
from billtide.app.letters.letter import Filter, letter_of
from billtide.app.letters.remedy import checked, sendable
from billtide.app.letters.setting import with_fields
from billtide.app.memory import Memory, Read
from billtide.app.refusal import RefusedError
from billtide.app.settings import load
from billtide.codecs import dead_letter, re_drive
from billtide.codecs.errors import UndecodableError

from ...builders import engagement, expense, time_entry

if TYPE_CHECKING:
    from billtide.app.letters.letter import Letter

TYPE = ("ce_type", b"billtide.time-entry.v1")


def put_aside(value: Any, stream: str = "time-entries", key: bytes = b"E1", *headers: tuple[str, bytes]) -> Letter:
    """The letter a task makes of a record."""
    sent = value if isinstance(value, bytes) else json.dumps(value).encode()
    task = Memory(3)
    task.apply(stream, [Read(stream, 3, 17, 1_700_000_000_000, key, sent, headers)])
    ((letter),) = task.left["dead-letters"]
    return letter_of(letter, load())


def test_a_letter_is_named_by_where_its_record_stood() -> None:
    """Its id is topic:partition:offset; bytes, key and the record's own headers are those it came with."""
    letter = put_aside(time_entry(quantity="7,5"), "time-entries", b"E1", ("traceparent", b"00-1"))

    assert letter.id == "time-entries:3:17"
    assert (letter.reason, letter.field) == ("invalid_field", "$.quantity")
    assert (letter.key, letter.value) == (b"E1", json.dumps(time_entry(quantity="7,5")).encode())
    assert letter.headers == (("traceparent", b"00-1"),)


def test_a_record_no_worker_put_there_is_shown_and_never_sent() -> None:
    """It is named by its own place, and refused with the streams that take records."""
    foreign = letter_of(Read("dead-letters", 1, 4, 9, b"k", b"{}", ()), load())

    assert (foreign.id, foreign.reason) == ("dead-letters:1:4", "unknown")
    with pytest.raises(UndecodableError, match="takes no records from outside"):
        sendable(foreign, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("offset", b"\xe2\x80\xae", id="an offset that is no number"),
        pytest.param("partition", b"9" * 5_000, id="a partition of 5,000 digits"),
        pytest.param("timestamp", b"", id="an empty timestamp"),
        pytest.param("timestamp", None, id="a timestamp without value"),
        pytest.param("topic", b"x" * 70_000, id="a topic longer than any"),
        pytest.param("topic", b"a:b", id="a topic that is none"),
    ],
)
def test_headers_no_worker_writes_are_passed_over(name: str, value: bytes) -> None:
    """One record of a foreign writer must not hide all letters: it is named by its own place."""
    headers = ((dead_letter.PREFIX + "reason", b"malformed"), (dead_letter.PREFIX + name, value))
    foreign = letter_of(Read("dead-letters", 1, 4, 9, b"k", b"{}", headers), load())

    assert (foreign.id, foreign.reason) == ("dead-letters:1:4", "unknown")


FILTERS = [
    pytest.param(Filter(), True, id="all"),
    pytest.param(Filter(reason="invalid_field"), True, id="reason"),
    pytest.param(Filter(reason="malformed"), False, id="other-reason"),
    pytest.param(Filter(topic="time-entries"), True, id="topic"),
    pytest.param(Filter(topic="expenses"), False, id="other-topic"),
    pytest.param(Filter(engagement="E1"), True, id="engagement-of-the-key"),
    pytest.param(Filter(engagement="E2"), True, id="engagement-of-the-value"),
    pytest.param(Filter(engagement="E3"), False, id="other-engagement"),
    pytest.param(Filter(field="$.quantity"), True, id="field"),
    pytest.param(Filter(field="$.quant"), False, id="part-of-a-name"),
    pytest.param(Filter(since=5), True, id="since"),
    pytest.param(Filter(since=6), False, id="before"),
    pytest.param(Filter(reason="invalid_field", topic="expenses"), False, id="all-must-hold"),
]


@pytest.mark.parametrize(("asked", "expected"), FILTERS)
def test_a_filter_asks_for_letters_all_of_it_fits(asked: Filter, *, expected: bool) -> None:
    """Reason, topic, engagement by key or value, field with all below it, time: all must hold."""
    sent = time_entry(quantity="x", engagement_id="E2")
    letter = put_aside(sent, "time-entries", b"E2")._replace(key=b"E1", put_aside=5)

    assert asked.asks_for(letter) is expected


def test_a_field_stands_for_all_below_it() -> None:
    """`$.rates` finds a letter about `$.rates[0].rate`."""
    letter = put_aside(engagement(rates=[{"rate": 7}]), "engagements")

    assert letter.field == "$.rates[0].rate"
    assert Filter(field="$.rates").asks_for(letter)


def test_every_difference_is_told_at_once() -> None:
    """A decoder stops at the first wrong field; here each is named, with what it is and what it must be."""
    value = time_entry(status="done", work_date="2.3.2026", quantity=7.5)
    del value["resource_id"]
    found = {one.field: one for one in differences(put_aside(value))}

    assert set(found) == {"$.status", "$.work_date", "$.quantity", "$.resource_id"}
    assert found["$.status"].found == '"done"'
    assert found["$.status"].wanted.startswith("one of approved, deleted")
    assert found["$.work_date"].wanted == "string (format date)"
    assert found["$.quantity"].fix == 'write it as text, such as "6.5"'
    assert found["$.resource_id"].found == "missing"


@pytest.mark.parametrize(
    ("stream", "value", "field", "shown"),
    [
        pytest.param("engagements", engagement(rates=[{"rate": 7}]), "$.rates[0].rate", "7", id="inside-a-list"),
        pytest.param("time-entries", time_entry(quantity="7,5"), "$.quantity", '"7,5"', id="beyond-the-shape"),
        pytest.param("time-entries", b"{", "", "", id="no-json"),
        pytest.param("expenses", expense(currency="ABC"), "$.currency", '"ABC"', id="unknown-currency"),
    ],
)
def test_a_difference_names_the_place_and_what_is_there(stream: str, value: Any, field: str, shown: str) -> None:
    """Also deep inside a value, and where only the reader, not the shape, refuses it."""
    (one,) = differences(put_aside(value, stream))

    assert (one.field, one.found) == (field, shown)
    assert one.problem
    assert bool(one.wanted) == (field in {"$.quantity", "$.currency"})


SET = [
    pytest.param("time-entries", time_entry(quantity="7,5"), ["$.quantity=6.5"], {"quantity": "6.5"}, id="decimal-text"),
    pytest.param("time-entries", time_entry(revision="x"), ["$.revision=2"], {"revision": 2}, id="number"),
    pytest.param("time-entries", time_entry(billable="x"), ["$.billable=false"], {"billable": False}, id="truth"),
    pytest.param("time-entries", time_entry(quantity="x"), ["$.quantity=1", "$.notes=a=b"], {"quantity": "1", "notes": "a=b"}, id="two"),
    pytest.param("engagements", engagement(rates=[{"rate": 7}]), ["$.rates[0].rate=7"], {"rates": [{"rate": "7"}]}, id="in-a-list"),
    pytest.param("engagements", engagement(rates=7), ['$.rates=[{"rate":"7"}]'], {"rates": [{"rate": "7"}]}, id="json"),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "value", "given", "expected"), SET)
def test_a_field_is_set_as_its_shape_wants_it(
    stream: str, value: Any, given: list[str], expected: dict[str, Any]
) -> None:
    """Text stays text where the shape has text, also when it looks like a number; the rest of the value stays."""
    letter = put_aside(value, stream)
    corrected = with_fields(letter, given)

    assert json.loads(corrected) == {**value, **expected}
    checked(letter, corrected)


def test_a_field_is_taken_out() -> None:
    """What must not be there goes, the rest stays."""
    letter = put_aside(time_entry(schema_version=2))

    assert json.loads(with_fields(letter, (), ["$.schema_version"])) == time_entry()


@pytest.mark.parametrize(
    ("value", "given", "sentence"),
    [
        pytest.param(b"{", "$.id=1", "no JSON object", id="no-object"),
        pytest.param(time_entry(quantity="x"), "$.quantity", "has no value", id="no-value"),
        pytest.param(time_entry(quantity="x"), "quantity=1", "is no path", id="no-path"),
        pytest.param(time_entry(quantity="x"), "$.lines[0].a=1", "has no 'lines' there", id="leads-nowhere"),
        pytest.param(time_entry(quantity="x"), "$.id[0]=1", "has no 0 there", id="no-list"),
        pytest.param(time_entry(quantity="x"), "$.id=\ud800", "holds half a character", id="half a character"),
        pytest.param(
            time_entry(quantity="x"), "$.id" + "x" * 70_000, r"x \.\.\.' has no value", id="70,000 characters"
        ),
    ],
)
def test_a_field_that_cannot_be_set_is_refused(value: Any, given: str, sentence: str) -> None:
    """The sentence says what is wrong with the path."""
    with pytest.raises(RefusedError, match=sentence.replace("[", r"\[")) as caught:
        with_fields(put_aside(value), [given])
    assert len(caught.value.message) < 2_000


def test_a_misspelt_field_of_a_correction_is_refused() -> None:
    """Unless the record itself came with names nobody knows, as from a newer sender: they pass as they do on topics."""
    known, newer = put_aside(time_entry(quantity="x")), put_aside(time_entry(quantity="x", colour="red"))

    with pytest.raises(UndecodableError, match="did you mean 'quantity'"):
        checked(known, json.dumps(time_entry(quantitty="1")).encode())
    checked(newer, with_fields(newer, ["$.quantity=1"]))


def test_what_is_sent_has_the_right_key_and_names_its_letter() -> None:
    """Key by the stream's rule; the record's own headers stay; one header names the letter, also when sent again."""
    old = (re_drive.HEADER, b"time-entries:3:1")
    letter = put_aside(time_entry(), "time-entries", b"E9", TYPE, ("ce_source", b"psa"), old)
    key, value, headers = sendable(letter, None)

    assert letter.reason == "key_mismatch"
    assert (key, value) == (b"E1", letter.value)
    assert headers == [TYPE, ("ce_source", b"psa"), (re_drive.HEADER, b"time-entries:3:17")]


def test_a_correction_is_sent_instead_with_headers_of_its_own() -> None:
    """Type and id follow the corrected value; other headers stay."""
    letter = put_aside(time_entry(revision=0), "time-entries", b"E1", ("ce_type", b"x"), ("traceparent", b"00-1"))
    value = json.dumps(time_entry(revision=7)).encode()
    key, sent, headers = sendable(letter, value)

    assert (key, sent) == (b"E1", value)
    assert dict(headers) | {"ce_source": b""} == {
        "traceparent": b"00-1",
        "ce_specversion": b"1.0",
        "ce_id": f"psa:{time_entry()['id']}:7".encode(),
        "ce_type": TYPE[1],
        "ce_source": b"",
        "content-type": b"application/json",
        re_drive.HEADER: b"time-entries:3:17",
    }
    assert [name for name, _ in headers].count("ce_type") == 1


@pytest.mark.parametrize("value", [b"", b"{", time_entry(quantity="x")], ids=["empty", "no-json", "wrong-field"])
def test_what_would_come_back_is_not_sent(value: Any) -> None:
    """A letter is sent only if its reader can decode it."""
    with pytest.raises(UndecodableError):
        sendable(put_aside(value), None)


def test_a_deed_nobody_can_read_stops_every_sending() -> None:
    """It may tell of a letter that was sent, so nothing is sent before somebody has looked at it."""
    with pytest.raises(RefusedError, match="re-drives offset 4 cannot be read"):
        History().take([Read("re-drives", 0, 4, 1, b"", b"{", ())])
