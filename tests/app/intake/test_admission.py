"""Admission: what the worker would dead-letter is refused before it is sent."""

from __future__ import annotations

import json

import pytest

from billtide.app.intake.admission import ACCEPTED, AGENTS, admit
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
    assert set(ACCEPTED) == set(AGENTS) | {stream.name for stream in TOPOLOGY.references}
    for stream in (*TOPOLOGY.outputs, TOPOLOGY.changelog):
        with pytest.raises(UndecodableError, match="takes no records from outside"):
            admit(stream.name, b"{}")


def test_the_value_leaves_as_it_came() -> None:
    """Bytes are not rewritten, so numbers and unknown fields reach the topic as the sender wrote them."""
    value = json.dumps(ENTRY | {"extra": 1}, indent=1).encode()

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
