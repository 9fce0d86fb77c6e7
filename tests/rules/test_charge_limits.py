"""Minimum and maximum charge: terms of a rate that replace quantity x rate, named on the line."""

from __future__ import annotations

from typing import Any

import pytest

from billtide.codecs.errors import UndecodableError

from .. import builders as records
from .builders import MILLION, Ledger, card, contract, version

LIMITS = {"minimum_charge": "100", "maximum_charge": "240"}


def under(line: records.Object, **changes: object) -> Ledger:
    """A ledger whose engagement has one rate of its own."""
    return Ledger(contract(rates=[line], **changes))


def lines(ledger: Ledger) -> list[tuple[str, str, str]]:
    """Amount, limit and action of each line."""
    return [(event.amount, event.limited_by, event.action) for event in ledger.effects.billing]


@pytest.mark.parametrize(
    ("quantity", "changes", "amount", "limited_by"),
    [
        pytest.param(8, {}, "100.00", "minimum_charge", id="below-the-minimum"),
        pytest.param(10, {}, "100.00", "", id="just-the-minimum"),
        pytest.param(24, {}, "240.00", "", id="just-the-maximum"),
        pytest.param(25, {}, "240.00", "maximum_charge", id="above-the-maximum"),
        pytest.param(-8, {}, "-100.00", "minimum_charge", id="below-zero-is-the-opposite"),
        pytest.param(-25, {}, "-240.00", "maximum_charge", id="maximum-below-zero"),
        pytest.param(0, {}, "0.00", "", id="nothing-worked"),
        pytest.param(8, {"billable_quantity": 0}, "0.00", "", id="written-off"),
        pytest.param(8, {"billable_quantity": 12 * MILLION}, "120.00", "", id="the-billable-quantity-counts"),
        pytest.param(8, {"rate": 5 * MILLION}, "40.00", "", id="the-entrys-own-rate-has-no-limits"),
    ],
)
def test_a_line_lies_between_its_rates_charges(
    quantity: int, changes: dict[str, Any], amount: str, limited_by: str
) -> None:
    """Quantity x rate, unless it is below the minimum or above the maximum; the line says which."""
    ledger = under({"rate": "10"} | LIMITS)
    ledger.send(version(status="approved", quantity=quantity * MILLION, **changes))

    assert lines(ledger) == [(amount, limited_by, "charge")]


def test_the_trace_says_what_the_charge_would_be() -> None:
    """Where quantity x rate is not the amount, the trace has both (M1)."""
    ledger = under({"rate": "10"} | LIMITS)
    ledger.send(version(status="approved"))
    steps = [(step.step, step.value, step.source) for step in ledger.effects.billing[0].trace[1:]]

    assert steps == [
        ("minimum_charge", "100.00 EUR", "8 hour x 10/hour would be 80.00 EUR"),
        ("rounding", "half_up", "8 hour x 10/hour: policies of E1 revision 1"),
    ]


def test_a_shared_card_has_limits_too() -> None:
    """They come with the line that prices the work; other lines of the card have none."""
    shared = card(lines=[{"role": "analyst", "rate": "10"} | LIMITS, {"role": "partner", "rate": "10"}])
    ledger = Ledger(contract(cards=((shared,),)))
    ledger.send(version(status="approved"))
    ledger.send(version(status="approved", id="2", role="partner"))

    assert [amount for amount, _, _ in lines(ledger)] == ["100.00", "80.00"]


def test_limits_are_in_minor_units_of_the_currency() -> None:
    """A minimum of 5000 yen is 5000 yen: they have no smaller unit."""
    ledger = Ledger(contract(currency="JPY", rates=[{"rate": "10", "minimum_charge": "5000"}]))
    ledger.known = type(ledger.known)(ledger.known.people["R1"], fx=[records.fx_rate(base="EUR", quote="JPY")])
    ledger.send(version(status="approved"))

    assert [amount for amount, _, _ in lines(ledger)] == ["5000"]


def test_an_unknown_currency_is_the_currencys_mistake() -> None:
    """Not that of the minimum charge that is read in it."""
    with pytest.raises(UndecodableError) as refused:
        contract(currency="XYZ", rates=[{"rate": "10", "minimum_charge": "5"}])

    assert refused.value.field == "$.currency"


def test_a_dated_rate_keeps_its_own_limits() -> None:
    """A change of one line from a date on changes its limits from then on."""
    rates = [{"rate": "10", "minimum_charge": "100"}, {"rate": "10", "effective_from": "2026-11-20"}]
    ledger = Ledger(contract(rates=rates))
    ledger.send(version(status="approved", work_date=version().work_date.replace(day=19)))
    ledger.send(version(status="approved", id="2"))

    assert [amount for amount, _, _ in lines(ledger)] == ["100.00", "80.00"]


def test_a_reversal_copies_the_limited_amount() -> None:
    """Whatever the terms say by then: the opposite of the charge, and still said to be limited."""
    ledger = under({"rate": "10"} | LIMITS)
    ledger.send(version(status="approved"))
    ledger.contract = contract(rates=[{"rate": "10"}], revision=2)
    ledger.send(version(status="recalled", revision=2))

    assert lines(ledger) == [("100.00", "minimum_charge", "charge"), ("-100.00", "minimum_charge", "reversal")]


def test_the_capped_rest_of_a_limited_line_says_so() -> None:
    """A part that is billed when room appears has the limit in its trace: its price was kept."""
    capped = {"contract_type": "capped", "rates": [{"rate": "10"} | LIMITS]}
    ledger = Ledger(contract(cap={"amount": "70"}, **capped))
    ledger.send(version(status="approved"))
    ledger.contract = contract(cap={"amount": "200"}, revision=2, **capped)
    ledger.settle()
    rest = ledger.effects.billing[-1]

    assert (rest.amount, rest.part_of, rest.limited_by) == ("30.00", "100.00", "minimum_charge")
    assert [(step.step, step.value) for step in rest.trace] == [("rate", "10/hour"), ("minimum_charge", "100.00 EUR")]


def test_work_in_progress_is_accrued_at_the_limited_charge() -> None:
    """What waits for approval is worth what it will be billed at."""
    ledger = under({"rate": "10"} | LIMITS)
    ledger.send(version())

    assert ledger.engagement.unbilled == 10_000


@pytest.mark.parametrize(
    ("limits", "field", "problem"),
    [
        pytest.param({"minimum_charge": "-1"}, "minimum_charge", "'-1' is below zero", id="negative-minimum"),
        pytest.param({"maximum_charge": "-1"}, "maximum_charge", "'-1' is below zero", id="negative-maximum"),
        pytest.param({"minimum_charge": "2", "maximum_charge": "1"}, "maximum_charge", "it is below minimum_charge", id="crossed"),
        pytest.param({"minimum_charge": "0.001"}, "minimum_charge", "'0.001' has more than 2 decimal places", id="below-a-cent"),
    ],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(limits: records.Object, field: str, problem: str) -> None:
    """On the engagement's own rates and on shared cards: the field is named with what is wrong."""
    with pytest.raises(UndecodableError) as own:
        contract(rates=[{"rate": "10"}, {"rate": "10", "role": "analyst"} | limits])
    with pytest.raises(UndecodableError) as shared:
        card(lines=[{"rate": "10"} | limits])

    assert (own.value.field, own.value.problem) == (f"$.rates[1].{field}", problem)
    assert (shared.value.field, shared.value.problem) == (f"$.lines[0].{field}", problem)
