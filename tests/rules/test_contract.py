"""Terms that make no sense are refused with the field and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billtide.agents.rules.calendar import Calendar
from billtide.agents.rules.contract import Contract
from billtide.agents.rules.pricing import RateBook
from billtide.codecs.durations import HOUR, MINUTE
from billtide.codecs.errors import UndecodableError

from .builders import contract, expense, terms

if TYPE_CHECKING:
    from .. import builders as records

CAPPED = {"contract_type": "capped"}
FEE = {"contract_type": "fixed_fee"}


@pytest.mark.parametrize(
    ("changes", "field", "fix"),
    [
        pytest.param({"currency": "XYZ"}, "$.currency", 'use a code such as "EUR"', id="currency"),
        pytest.param(CAPPED, "$.cap", "send cap.amount", id="no-cap"),
        pytest.param(
            CAPPED | {"cap": {"amount": "1", "tolerance": "-1"}},
            "$.cap.tolerance",
            "send zero or more",
            id="tolerance-below-zero",
        ),
        pytest.param(
            CAPPED | {"caps": [{"id": "PO", "amount": "1"}] * 2},
            "$.caps[1].id",
            "give each cap an id of its own",
            id="two-caps-of-one-id",
        ),
        pytest.param(
            CAPPED | {"caps": [{"id": "PO", "amount": "x"}]},
            "$.caps[0].amount",
            'write it as text with a point, such as "7.50"',
            id="partial-cap-no-number",
        ),
        pytest.param(CAPPED | {"cap": {"amount": "1.234"}}, "$.cap.amount", "send at most 2", id="cap-below-a-cent"),
        pytest.param(FEE, "$.fee", "send fee.amount", id="no-fee"),
        pytest.param({"contract_type": "retainer"}, "$.fee", "send fee.amount", id="no-retainer-fee"),
        pytest.param(
            FEE | {"fee": {"amount": "1"}},
            "$.fee.estimated_cost",
            "send the expected cost at completion, above zero",
            id="no-estimate",
        ),
        pytest.param(
            FEE | {"fee": {"amount": "1", "estimated_cost": "0"}},
            "$.fee.estimated_cost",
            "above zero",
            id="estimate-zero",
        ),
        pytest.param(
            FEE | {"fee": {"amount": "x", "estimated_cost": "1"}},
            "$.fee.amount",
            'such as "7.50"',
            id="fee-is-no-number",
        ),
        pytest.param(
            {"policies": {"hours_per_day": "0"}},
            "$.policies.hours_per_day",
            "send a number above zero",
            id="a-day-without-hours",
        ),
        pytest.param(
            {"policies": {"hours_per_day": "-8"}},
            "$.policies.hours_per_day",
            "send a number above zero",
            id="a-negative-day",
        ),
        pytest.param(
            {"end_date": "2025-12-31"}, "$.end_date", "send the last day of the engagement", id="ends-before-it-starts"
        ),
        pytest.param(
            {"rates": [{"rate": "1"}, {"rate": "1,5"}]}, "$.rates[1].rate", 'such as "7.50"', id="rate-is-no-number"
        ),
        pytest.param(
            {"schema_version": 2, "rates": [{"rate": "1", "resource_id": "R7", "region": "dach"}]},
            "$.rates[0]",
            "send resource_id, region, or none",
            id="a-rate-for-a-person-and-a-region",
        ),
        pytest.param(
            {"rates": [{"rate": "1", "region": "dach"}]},
            "$.schema_version",
            "send schema_version 2",
            id="a-region-that-older-workers-pass-over",
        ),
        pytest.param(
            {"expenses": {"mark_up_percent": "1.23456"}},
            "$.expenses.mark_up_percent",
            "send at most 4",
            id="mark-up-too-fine",
        ),
        pytest.param(
            {"planned_revenue": "1.001"}, "$.planned_revenue", "send at most 2", id="planned-revenue-below-a-cent"
        ),
    ],
)
def test_senseless_terms_are_refused_by_field(changes: records.Object, field: str, fix: str) -> None:
    """The error names the JSON path of the term and says what to send."""
    with pytest.raises(UndecodableError) as caught:
        contract(**changes)

    assert caught.value.reason == "invalid_field"
    assert field == caught.value.field
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    "rates",
    [
        pytest.param([{"rate": "1", "role": "a"}, {"rate": "2", "role": "a"}], id="same-role-same-date"),
        pytest.param([{"rate": "1", "resource_id": "R7"}, {"rate": "2", "resource_id": "R7"}], id="same-person"),
        pytest.param([{"rate": "1", "region": "dach"}, {"rate": "2", "region": "dach"}], id="same-region"),
    ],
)
def test_two_own_rates_for_the_same_work_are_refused(rates: list[records.Object]) -> None:
    """As on a shared card, a combination is sent once: of two rates nobody could say which is meant."""
    with pytest.raises(UndecodableError) as caught:
        contract(schema_version=2, rates=rates)

    assert (caught.value.field, caught.value.fix) == ("$.rates[1]", "send each combination once a date")


@pytest.mark.parametrize(
    ("contract_type", "bills_time", "earns_by_cost", "bills_expenses"),
    [
        pytest.param("time_and_materials", True, False, True, id="time-and-materials"),
        pytest.param("capped", True, False, True, id="capped"),
        pytest.param("fixed_fee", False, True, True, id="fixed-fee"),
        pytest.param("retainer", False, False, True, id="retainer"),
        pytest.param("non_billable", False, False, False, id="non-billable"),
        pytest.param("internal", False, False, False, id="internal"),
    ],
)
def test_each_contract_type_earns_in_its_way(
    contract_type: str, *, bills_time: bool, earns_by_cost: bool, bills_expenses: bool
) -> None:
    """Time is billed under T&M and capped, revenue follows cost under a fixed fee, the customer pays expenses of all that are sold."""
    compiled = contract(contract_type=contract_type, cap={"amount": "1"}, fee={"amount": "1", "estimated_cost": "1"})
    actual = (compiled.bills_time, compiled.earns_by_cost, compiled.expenses.bills(expense()))

    assert (bills_time, earns_by_cost, bills_expenses) == actual


def test_units_are_as_long_as_the_contract_says() -> None:
    """A day is hours_per_day; hour and minute are what they are."""
    compiled = contract(policies={"hours_per_day": "7.5"})

    one = 1_000_000
    lengths = tuple(compiled.time(one, unit) for unit in ("hour", "minute", "day"))
    assert lengths == (HOUR, MINUTE, 15 * HOUR // 2)
    assert compiled.time(2_000_000, "day") == 15 * HOUR


def test_compiling_changes_no_terms() -> None:
    """A contract is a reading of its terms; compiling twice gives the same figures."""
    agreed = terms(contract_type="capped", cap={"amount": "100.50"})

    book, calendar = RateBook(agreed, ()), Calendar((), agreed.policies)
    assert [Contract(agreed, book, calendar).limits[0].amount for _ in range(2)] == [10_050, 10_050]
