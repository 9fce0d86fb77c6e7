"""Discounts and multipliers with dates: which one counts on a work date, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from billtide.codecs.errors import UndecodableError

from .. import builders as records
from .builders import Ledger, contract, version

if TYPE_CHECKING:
    from ..builders import Object

DISCOUNTS = [
    {"percent": "10", "effective_from": "2026-03-01", "effective_to": "2026-03-31"},
    {"percent": "25", "effective_from": "2026-03-15", "effective_to": "2026-03-20"},
    {"percent": "0", "effective_from": "2026-06-01"},
]
CHANGES = [
    {"effective_from": "2026-07-01", "multipliers": {"by_work_type": {"overtime": "2"}}},
    {"effective_from": "2026-09-01"},
]


def lines(date: str, work_type: str = "", **terms: object) -> list[tuple[str, str]]:
    """Rate and amount of 8 hours at 100 on a date."""
    ledger = Ledger(contract(**terms))
    ledger.send(version(status="approved", work_date=dt.date.fromisoformat(date), work_type=work_type))
    return [(line.rate, line.amount) for line in ledger.effects.billing]


@pytest.mark.parametrize(
    ("date", "rate"),
    [
        pytest.param("2026-02-28", "95", id="before-it-starts-the-usual-one"),
        pytest.param("2026-03-01", "90", id="first-day"),
        pytest.param("2026-03-14", "90", id="before-the-next"),
        pytest.param("2026-03-15", "75", id="the-one-that-starts-last"),
        pytest.param("2026-03-21", "90", id="after-it-the-wider-one"),
        pytest.param("2026-03-31", "90", id="last-day"),
        pytest.param("2026-04-01", "95", id="after-its-last-day"),
        pytest.param("2026-06-01", "100", id="none-from-then-on"),
    ],
)
def test_a_discount_holds_on_its_dates(date: str, rate: str) -> None:
    """In the place of the usual 5 %; of several that cover the work date the one that starts last counts."""
    [(charged, amount)] = lines(date, discount_percent="5", discounts=DISCOUNTS)

    assert (charged, amount) == (rate, f"{int(rate) * 8}.00")


def test_the_trace_names_the_discount() -> None:
    """The step says from which date it holds."""
    ledger = Ledger(contract(discounts=DISCOUNTS))
    ledger.send(version(status="approved", work_date=dt.date(2026, 3, 16)))
    (line,) = ledger.effects.billing

    assert [(step.value, step.source) for step in line.trace if step.step == "discount_percent"] == [
        ("25", "terms of E1 revision 1, from 2026-03-15")
    ]


@pytest.mark.parametrize(
    ("date", "rate"),
    [
        pytest.param("2026-06-30", "115", id="before-the-change"),
        pytest.param("2026-07-01", "200", id="from-the-change"),
        pytest.param("2026-09-01", "100", id="none-from-then-on"),
    ],
)
def test_multipliers_change_on_a_date(date: str, rate: str) -> None:
    """What is agreed from a date on takes the place of all multipliers before it."""
    policies = {"multipliers": {"by_work_type": {"overtime": "1.15"}}, "multiplier_changes": CHANGES}

    assert [charged for charged, _ in lines(date, "overtime", policies=policies)] == [rate]


def test_multipliers_may_begin_later() -> None:
    """Without multipliers at first the rate is the plain one until the change."""
    policies = {"multiplier_changes": CHANGES}
    charged = [lines(date, "overtime", policies=policies)[0][0] for date in ("2026-06-30", "2026-07-01")]

    assert charged == ["100", "200"]


def test_a_discount_agreed_later_prices_what_is_posted_anew() -> None:
    """Only the entries on its dates are reversed and billed anew (M9)."""
    task = records.ready_task()
    for at, date in enumerate(("2026-03-01", "2026-04-01")):
        task.send("time-entries", records.time_entry(id=str(at), status="approved", work_date=date))
    task.clear()
    task.send("engagements", records.engagement(revision=2, discounts=DISCOUNTS[:1]))

    assert [(line["entry_id"], line["amount"]) for line in task.out["billing"]] == [("0", "-800.00"), ("0", "720.00")]


@pytest.mark.parametrize(
    ("terms", "field", "problem"),
    [
        pytest.param({"discounts": [DISCOUNTS[0], DISCOUNTS[0]]}, "$.discounts[1].effective_from", "a second discount from 2026-03-01", id="same-start"),
        pytest.param({"discounts": [DISCOUNTS[0] | {"effective_to": "2026-02-01"}]}, "$.discounts[0].effective_to", "it is before effective_from", id="ends-before-it-starts"),
        pytest.param({"discounts": [DISCOUNTS[0] | {"percent": "101"}]}, "$.discounts[0].percent", "'101' does not lie between 0 and 100", id="more-than-all"),
        pytest.param({"policies": {"multiplier_changes": [CHANGES[0], CHANGES[0]]}}, "$.policies.multiplier_changes[1].effective_from", "a second change on 2026-07-01", id="same-change"),
        pytest.param({"policies": {"multiplier_changes": [{"effective_from": "2026-07-01", "multipliers": {"weekend": "11"}}]}}, "$.policies.multiplier_changes[0].multipliers.weekend", "'11' does not lie between 0 and 10", id="multiplier"),
    ],
)  # fmt: skip
def test_terms_that_make_no_sense_are_refused(terms: Object, field: str, problem: str) -> None:
    """The field is named with what is wrong."""
    with pytest.raises(UndecodableError) as refused:
        contract(**terms)

    assert (refused.value.field, refused.value.problem) == (field, problem)
