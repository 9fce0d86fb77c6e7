"""Admission: what the worker would dead-letter is refused before it is sent."""

from __future__ import annotations

import json

import pytest

from billtide.app.intake.admission import ACCEPTED, admit
from billtide.app.memory import APPLIES
from billtide.app.topology import TOPOLOGY
from billtide.codecs.errors import UndecodableError

ENTRY = {"source": "psa", "id": "1", "revision": 1, "engagement_id": "E-1", "resource_id": "R-1"} | {
    "work_date": "2026-11-20",
    "quantity": "7.5",
    "status": "approved",
}
ASSIGNMENT = {"source": "plan", "id": "A-1", "revision": 1, "engagement_id": "E-1", "resource_id": "R-1"}
TERMS = {
    "source": "crm",
    "id": "E-1",
    "revision": 1,
    "customer_id": "C-1",
    "legal_entity_id": "DE",
    "currency": "EUR",
} | {
    "contract_type": "time_and_materials",
    "start_date": "2026-01-01",
}
CARD = {"id": "std", "version": 1, "scope": "default", "currency": "EUR", "effective_from": "2026-01-01"}
PERSON = {"id": "R-1", "revision": 1, "legal_entity_id": "DE"}
RATE = {"base": "USD", "quote": "EUR", "valid_from": "2026-01-01", "rate": "0.9"}


def test_only_streams_from_outside_are_accepted() -> None:
    """Inputs and reference data are accepted; what workers write is not."""
    assert set(ACCEPTED) == set(APPLIES) - {"assignment-forecasts"} | {stream.name for stream in TOPOLOGY.references}
    for stream in (*TOPOLOGY.outputs, TOPOLOGY.changelog):
        with pytest.raises(UndecodableError, match="takes no records from outside"):
            admit(stream.name, b"{}")


def test_the_value_leaves_as_it_came() -> None:
    """Bytes are not rewritten, so every field reaches the topic as the sender wrote it."""
    value = json.dumps(ENTRY | {"notes": "\u00fc"}, indent=1).encode()

    assert admit("time-entries", value)[1] == value


@pytest.mark.parametrize(
    ("stream", "value", "field"),
    [
        pytest.param("time-entries", ENTRY | {"quantity": "7,5"}, "$.quantity", id="decimal text"),
        pytest.param("time-entries", ENTRY | {"unit": "unit"}, "$.unit", id="a unit that is no time"),
        pytest.param("time-entries", ENTRY | {"source": "a:b"}, "$.source", id="a colon in the source"),
        pytest.param("time-entries", ENTRY | {"rate": "-1"}, "$.rate", id="an entry's rate below zero"),
        pytest.param("assignments", ASSIGNMENT | {"rate": "-1"}, "$.rate", id="an assignment's rate below zero"),
        pytest.param("engagements", TERMS | {"rates": [{"rate": "-1"}]}, "$.rates[0].rate", id="terms' rate below zero"),
        pytest.param("rate-cards", CARD | {"lines": [{"rate": "-1"}]}, "$.lines[0].rate", id="a card's rate below zero"),
        pytest.param("resources", PERSON | {"cost_rates": [{"rate": "-0.000001", "currency": "EUR"}]}, "$.cost_rates[0].rate", id="a cost below zero"),
        pytest.param("fx-rates", RATE | {"rate": "0"}, "$.rate", id="a rate of nothing"),
        pytest.param("fx-rates", RATE | {"valid_to": "2025-01-01"}, "$.valid_to", id="dates in the wrong order"),
    ],
)  # fmt: skip
def test_what_only_the_agent_sees_is_seen(stream: str, value: dict[str, object], field: str) -> None:
    """Values of the right shape that the agent refuses are refused here, with the same field."""
    with pytest.raises(UndecodableError) as caught:
        admit(stream, json.dumps(value).encode())

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("stream", "value"),
    [
        pytest.param("time-entries", ENTRY | {"rate": "0"}, id="entry"),
        pytest.param("assignments", ASSIGNMENT | {"rate": "0"}, id="assignment"),
        pytest.param("engagements", TERMS | {"rates": [{"rate": "0"}]}, id="terms"),
        pytest.param("rate-cards", CARD | {"lines": [{"rate": "-0"}]}, id="card"),
        pytest.param("resources", PERSON | {"cost_rates": [{"rate": "0.00", "currency": "EUR"}]}, id="cost"),
    ],
)
def test_a_rate_may_be_zero(stream: str, value: dict[str, object]) -> None:
    """Work that is given away has a rate, and it is zero."""
    assert admit(stream, json.dumps(value).encode())


@pytest.mark.parametrize(
    ("stream", "value", "field", "fix"),
    [
        pytest.param("time-entries", ENTRY | {"billabel": False}, "$.billabel", "did you mean 'billable'?", id="entry"),
        pytest.param("time-entries", {"quantiy" if name == "quantity" else name: value for name, value in ENTRY.items()}, "$.quantiy", "did you mean 'quantity'?", id="a field that must be there"),
        pytest.param("engagements", TERMS | {"rates": [{"rate": "1"}, {"rate": "1", "rol": "x"}]}, "$.rates[1].rol", "did you mean 'role'?", id="object in a list"),
        pytest.param("engagements", TERMS | {"policies": {"roundin": "up"}}, "$.policies.roundin", "did you mean 'rounding'?", id="object"),
        pytest.param("engagements", TERMS | {"cap": {"amount": "1", "zzz": 1}}, "$.cap.zzz", "remove it, or use one of amount, mode, includes_expenses, tolerance", id="nothing like it"),
    ],
)  # fmt: skip
def test_a_field_no_shape_has_is_refused(stream: str, value: dict[str, object], field: str, fix: str) -> None:
    """A misspelt field would mean its default in silence; the path and the nearest real name are said."""
    with pytest.raises(UndecodableError) as caught:
        admit(stream, json.dumps(value).encode())

    assert (caught.value.field, caught.value.problem, caught.value.fix) == (field, "there is no such field", fix)


@pytest.mark.parametrize(
    ("stream", "problem", "fix"),
    [
        pytest.param("time-entry", "there is no stream 'time-entry'", "did you mean 'time-entries'?", id="misspelt"),
        pytest.param("xyz", "there is no stream 'xyz'", "send to one of time-entries,", id="nothing like it"),
        pytest.param("billing", "'billing' takes no records from outside", "send to one of time-entries,", id="output"),
    ],
)
def test_a_wrong_stream_is_said_with_the_right_one(stream: str, problem: str, fix: str) -> None:
    """A name that is no stream is told from a stream that workers alone write."""
    with pytest.raises(UndecodableError) as caught:
        admit(stream, b"{}")

    assert caught.value.problem == problem
    assert caught.value.fix.startswith(fix)
