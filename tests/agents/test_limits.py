"""Numbers at their limits: whatever single records may carry, what the rules make of them can be kept.

A value that cannot be written to the changelog fails the transaction, comes back with the next try, and so stops its
partition for ever. Each case is made of records that are accepted one by one.
"""

from __future__ import annotations

import pytest

from ..builders import (
    REFERENCES,
    Object,
    assignment,
    engagement,
    expense,
    fixed_fee,
    fx_rate,
    ready_task,
    resource,
    time_entry,
)

MANY = "999999999"
LONG = "999999"
DEAR = resource(revision=2, cost_rates=[{"rate": MANY, "currency": "USD"}])
CLF = resource(revision=2, cost_rates=[{"rate": "1", "currency": "CLF"}])
BY_THE_DAY = {"category": "per-diem", "policy": "unit_price", "unit_price": MANY, "unit": "day"}
FX = ("fx-rates", fx_rate(rate="99999"))
YEN = ("fx-rates", fx_rate(base="JPY", rate="99999"))

CASES = [
    pytest.param({}, [("time-entries", time_entry(quantity=LONG, rate=MANY))], id="hours-and-rate"),
    pytest.param({}, [("time-entries", time_entry(quantity="-" + LONG, rate=MANY))], id="negative"),
    pytest.param({}, [("time-entries", time_entry(id=str(at), quantity=LONG, rate=MANY)) for at in range(200)], id="sum-of-200"),
    pytest.param({"currency": "CLF"}, [("resources", CLF), ("time-entries", time_entry(quantity=LONG, rate=MANY))], id="four-places"),
    pytest.param({"currency": "CLF"}, [("resources", CLF), ("time-entries", time_entry(quantity="-" + LONG, rate=MANY))], id="four-places-negative"),
    pytest.param({"policies": {"hours_per_day": "24"}}, [("time-entries", time_entry(quantity=LONG, unit="day", rate=MANY))], id="days-and-rate"),
    pytest.param({}, [("resources", DEAR), FX, ("time-entries", time_entry(quantity=LONG))], id="cost-and-exchange-rate"),
    pytest.param({}, [FX, ("expenses", expense(amount=MANY, currency="USD"))], id="expense-and-exchange-rate"),
    pytest.param({}, [YEN, ("expenses", expense(amount=MANY, currency="JPY"))], id="expense-without-places"),
    pytest.param({"expenses": {"policy": "mark_up", "mark_up_percent": "999"}}, [("expenses", expense(amount=MANY))], id="expense-and-mark-up"),
    pytest.param({"expenses": {"categories": [BY_THE_DAY]}}, [("expenses", expense(amount=None, category="per-diem", quantity=LONG, unit="day"))], id="quantity-and-agreed-unit-price"),
    pytest.param({}, [("expenses", expense(amount=None, quantity=LONG, unit="day", unit_price=MANY))], id="quantity-and-unit-price"),
    pytest.param({}, [("expenses", expense(amount=None, items=[{"category": "travel", "amount": MANY}] * 200))], id="sum-of-items"),
    pytest.param({}, [("resources", DEAR), FX, ("assignments", assignment(weeks=[{"week": "2026-11-23", "hours": LONG}]))], id="planned-cost"),
    pytest.param({}, [("time-entries", time_entry(status="approved")), ("engagements", fixed_fee(revision=2) | {"fee": {"amount": "999999999999", "estimated_cost": "0.01"}})], id="fee"),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "steps"), CASES)
def test_the_task_goes_on(terms: Object, steps: list[tuple[str, Object]]) -> None:
    """The record is applied, held or put aside, the state is written and restored, and the next entry is applied."""
    task = ready_task(engagement(**terms))
    for stream, sent in steps:
        if stream in REFERENCES:
            task.refer(stream, sent)
        else:
            task.send(stream, sent)
    task.restart()

    assert task.send("expenses", expense(id="next", amount="1", currency=terms.get("currency", "EUR"))) == "applied"


@pytest.mark.parametrize(
    "rate",
    [pytest.param("104812.5", id="euro-in-lebanese-pounds"), pytest.param("1250000", id="euro-in-rials-on-the-market")],
)
def test_exchange_rates_that_exist_are_taken(rate: str) -> None:
    """A limit keeps typos out, not countries."""
    change = ready_task().refer("fx-rates", fx_rate(base="EUR", quote="LBP", rate=rate))

    assert change.undecodable == []


def test_a_day_of_more_than_24_hours_is_refused() -> None:
    """Terms with such a day are put aside, and what is sent for the engagement waits for terms that make sense."""
    task = ready_task(engagement(policies={"hours_per_day": LONG}))

    assert task.send("time-entries", time_entry(quantity=LONG, unit="day")) == "held"
