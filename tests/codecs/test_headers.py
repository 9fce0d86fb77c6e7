"""Headers around a record: CloudEvents of what leaves, and the facts of a dead letter."""

from __future__ import annotations

from typing import get_args

import pytest

from billtide.codecs import (
    accrual,
    approval,
    assignment,
    billing,
    cloudevents,
    dead_letter,
    engagement,
    exception,
    expense,
    figures,
    forecast,
    fx_rate,
    period,
    rate_card,
    resource,
    revenue,
    time_entry,
)
from billtide.codecs.errors import Reason, UndecodableError

MODULES = (
    accrual, approval, assignment, billing, engagement, exception, expense, figures, fx_rate, period, rate_card, resource, revenue, time_entry,
)  # fmt: skip
TYPES = [*(module.TYPE for module in MODULES), forecast.FORECAST_TYPE, forecast.UTILISATION_TYPE, dead_letter.TYPE]
REQUIRED = {"ce_id", "ce_source", "ce_specversion", "ce_type"}
"""Required context attributes of CloudEvents 1.0 under the names of its Kafka binding, binary mode."""


@pytest.mark.parametrize("event_type", TYPES)
def test_an_event_carries_what_cloudevents_requires(event_type: str) -> None:
    """The four required attributes, once each, non-empty, as UTF-8 bytes; specversion is 1.0; the data is JSON."""
    headers = cloudevents.headers(event_type, "psa:time:4711:1:billing:0")
    found = dict(headers)

    assert len(found) == len(headers)
    assert set(found) >= REQUIRED
    assert all(value.decode() for value in found.values())
    assert (found["ce_specversion"], found["content-type"]) == (b"1.0", b"application/json")
    assert found["ce_type"] == event_type.encode()
    assert found["ce_id"] == b"psa:time:4711:1:billing:0"


def test_attribute_names_are_lower_case_letters_and_digits() -> None:
    """As the spec asks of attribute names, behind the binding's prefix."""
    names = [name.removeprefix("ce_") for name, _ in cloudevents.headers("t", "1") if name.startswith("ce_")]

    assert all(name.isalnum() and name == name.lower() and name.isascii() for name in names)


def test_types_are_different_and_versioned() -> None:
    """A type names one shape, ours, and its version."""
    assert len(set(TYPES)) == len(TYPES)
    assert all(name.startswith("billtide.") and name.endswith(".v1") for name in TYPES)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="none"),
        pytest.param((("traceparent", b"00-1-2-00"),), id="others"),
        pytest.param((("ce_type", b"billtide.time-entry.v1"),), id="this-type"),
    ],
)
def test_a_record_of_the_right_type_or_none_passes(headers: tuple[tuple[str, bytes], ...]) -> None:
    """Senders need not speak CloudEvents."""
    cloudevents.check_type(headers, time_entry.TYPE)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"billtide.expense.v1", id="another"),
        pytest.param(b"billtide.time-entry.v2", id="another-version"),
        pytest.param(b"\xff\xfe", id="not-utf-8"),
        pytest.param(b"", id="empty"),
        pytest.param(None, id="a-null-header-as-kafka-allows"),
    ],
)
def test_a_record_of_another_type_is_refused(value: bytes | None) -> None:
    """A record on the wrong topic is told from a broken one, whatever the header's bytes are."""
    with pytest.raises(UndecodableError) as caught:
        cloudevents.check_type((("ce_type", value),), time_entry.TYPE)

    assert (caught.value.reason, caught.value.field) == ("wrong_type", "ce_type")
    assert caught.value.fix == "send 'billtide.time-entry.v1' here, or drop the header"


@pytest.mark.parametrize("reason", get_args(Reason))
def test_a_dead_letter_tells_where_it_stood_and_what_is_wrong(reason: Reason) -> None:
    """Its headers are read back as they were written, beside the record's own."""
    error = UndecodableError(reason, "$.quantity", "'7,5' is not a decimal number – überall", "write it with a point")
    original = (("traceparent", b"00-1-2-00"), ("ce_type", b"x"))
    headers = dead_letter.headers("time-entries", 3, 42, 1_700_000_000_123, original, error)

    assert headers[: len(original)] == original
    assert dead_letter.facts(headers) == {
        "topic": "time-entries",
        "partition": "3",
        "offset": "42",
        "timestamp": "1700000000123",
        "reason": reason,
        "field": "$.quantity",
        "problem": "'7,5' is not a decimal number – überall",
        "fix": "write it with a point",
    }
    assert tuple(dead_letter.facts(headers)) == dead_letter.FIELDS


def test_a_dead_letter_that_died_again_tells_of_its_last_death() -> None:
    """Sent back unmended it has both sets of headers; the later one is read."""
    first = dead_letter.headers("a", 0, 1, 2, (), UndecodableError("empty", "", "p", "f"))
    second = dead_letter.headers("b", 0, 9, 3, first, UndecodableError("malformed", "", "q", "g"))

    assert (dead_letter.facts(second)["topic"], dead_letter.facts(second)["reason"]) == ("b", "malformed")


def test_foreign_header_values_do_not_hide_the_facts() -> None:
    """Null and binary headers of the record itself are kept, and ours are still read."""
    own = (("x", None), ("y", b"\xff"), (f"{dead_letter.PREFIX}problem", None))
    headers = dead_letter.headers("a", 0, 1, 2, own, UndecodableError("empty", "", "p", "f"))

    assert headers[:3] == own
    assert dead_letter.facts(headers)["problem"] == "p"


HALF = dead_letter.BYTES_MAX // 2
LARGE = b"x" * (dead_letter.BYTES_MAX + 1)


@pytest.mark.parametrize(
    ("key", "value", "own", "left_out"),
    [
        pytest.param(b"E1", b"{", (("a", b"1"),), "", id="small"),
        pytest.param(None, None, (), "", id="empty"),
        pytest.param(b"x" * HALF, b"y" * HALF, (), "", id="just fits"),
        pytest.param(b"E1", LARGE, (("a", b"1"),), f"value of {len(LARGE)} bytes", id="large value"),
        pytest.param(
            b"E1", b"{", (("a", LARGE),), f"value of 1 bytes, headers of {len(LARGE) + 1} bytes", id="headers"
        ),
        pytest.param(LARGE, b"{", (), f"value of 1 bytes, headers of 0 bytes, key of {len(LARGE)} bytes", id="key"),
    ],
)
def test_a_dead_letter_holds_all_of_its_record_that_a_topic_takes(
    key: bytes | None, value: bytes | None, own: dead_letter.Headers, left_out: str
) -> None:
    """A record that fits is kept byte for byte; of one that does not, what is too large is named with its size."""
    kept = dead_letter.kept(key, value, own)
    said = dict(kept.headers).get(dead_letter.LEFT_OUT, b"").decode()

    assert said == left_out
    assert kept.value == (None if "value" in said else value)
    assert kept.key == (None if "key" in said else key)
    assert [one for one in kept.headers if one[0] != dead_letter.LEFT_OUT] == ([] if "headers" in said else [*own])


def test_a_problem_that_quotes_a_whole_record_is_cut() -> None:
    """None of our own headers grows with the record."""
    error = UndecodableError("malformed", "$." + "f" * 10_000, "p" * 1_000_000, "mend it")
    headers = dead_letter.headers("t", 0, 1, 2, (), error)

    assert sum(len(value) for _, value in headers) < 3 * dead_letter.FACT_CHARACTERS_MAX
