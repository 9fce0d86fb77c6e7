"""Rounding by invoice as the independent reckoning checks it, by hand-made lines whose sums are worked out beside each."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import msgspec
import pytest

from billtide.app.demo.reckoning_rounding import ByInvoice, groups, wrong_lines
from billtide.codecs.billing import BillingEvent, TraceStep

from .test_reckoning import Sent, month, one, reckoned, terms, time

THREE = tuple(time(id=f"T-{number}", quantity="0.25", rate="100.1") for number in range(3))
"""Each 25.025, billed as 25.03; together 75.075."""
SUMMED: dict[str, object] = {"rounding_place": "invoice"}


def agreed(*months: Sent) -> ByInvoice:
    """An engagement with three such entries in March, whose lines are rounded as a sum."""
    found = one(terms(policies=SUMMED), *THREE, *months).by_invoice
    assert found is not None
    return found


def line(amount: str = "25.03", kind: str = "time", day: str = "2026-03-02", **changes: object) -> BillingEvent:
    """One of their lines, or a rounding line."""
    fields = {
        "id": "any", "kind": kind, "action": "charge", "source": "psa", "entry_id": "T-1", "revision": 1,
        "engagement_id": "E-1", "customer_id": "C-1", "legal_entity_id": "DE", "contract_type": "time_and_materials",
        "work_date": dt.date(2026, 3, 31) if kind == "rounding" else dt.date(2026, 3, 2),
        "accounting_date": dt.date.fromisoformat(day), "quantity": "0.25", "unit": "hour", "rate": "100.1",
        "rate_unit": "hour", "amount": amount, "currency": "EUR", "rounding": "half_up", **changes,
    }  # fmt: skip
    return BillingEvent(**fields)  # type: ignore[arg-type]


def test_the_exact_worth_is_that_of_all_entries() -> None:
    """Three times 25.025 are 75.075; lines rounded one by one have none."""
    exact = agreed(month(3)).exact
    assert (len(exact), sum(exact.values())) == (3, Fraction("7507.5"))
    assert one(terms(), *THREE).by_invoice is None


def adjusted(price: str, residue: str, amount: str, **changes: object) -> BillingEvent:
    """A line that adjusts the entry to a price, which lacks so many minor units."""
    trace = (TraceStep("price", price, "revision 2"), TraceStep("residue", residue, "to the exact value"))
    shown = {"quantity": "1", "unit": "unit", "rate": amount, "rate_unit": "unit", "trace": trace}
    return line(amount, **{"id": "adjusting", "action": "adjustment", **shown, **changes})


BOTH = [line(id="charge"), adjusted("5.00", "1/2", "-20.03")]
BACK = [
    line("-25.03", quantity="-0.25", action="reversal", reverses="charge"),
    line("20.03", quantity="-1", rate="-20.03", rate_unit="unit", action="reversal", reverses="adjusting"),
]


@pytest.mark.parametrize(
    ("lines", "due"),
    [
        pytest.param([line(), line(), line()], [-1], id="75.075 is 75.08, and the lines are 75.09"),
        pytest.param([line(), line(), line(), line("-0.01", "rounding")], [-1], id="posted already"),
        pytest.param([line(), line(), line("-25.03", quantity="-0.25")], [0], id="a reversal leaves one line"),
        pytest.param([line(), line(), line(day="2026-04-01")], [-1, 0], id="a line in another month; April is not over"),
        pytest.param([line("30", limited_by="minimum_charge")], [0], id="a limited line is agreed as it is"),
        pytest.param(BOTH, [1], id="adjusted to 5.005: the lines are 5.00"),
        pytest.param([*BOTH, adjusted("7.00", "-1/4", "2.00")], [0], id="adjusted once more, to 6.9975"),
        pytest.param([*BOTH, *BACK], [0], id="charge and adjusting line reversed"),
    ],
)  # fmt: skip
def test_what_a_month_lacks(lines: list[BillingEvent], due: list[int]) -> None:
    """Rounding lines due for each month whose following month has begun."""
    april = (month(3), month(4))
    assert [group.due for group in groups(agreed(*april), lines)] == due


def test_a_month_that_is_not_over_has_no_rounding_yet() -> None:
    """While April is future, nothing is due for March."""
    assert [group.due for group in groups(agreed(month(3), month(4, "future")), [line(), line()])] == [0]


def test_a_closed_month_keeps_what_was_posted() -> None:
    """What cannot be posted now is not asked for."""
    closed = agreed(month(3), month(4))
    months = closed.facts.periods["DE"]
    months["2026-03"] = msgspec.structs.replace(months["2026-03"], status="closed")
    assert [group.due for group in groups(closed, [line(), line(), line()])] == [None]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        pytest.param([line(), line(), line()], "rounding of the lines to 2026-03-31 is 0 instead of -1", id="none"),
        pytest.param([line(), line(), line(), line("0.01", "rounding")], "is 1 instead of -1", id="of another sign"),
        pytest.param(
            [line(), line(), line("-0.01", "rounding")], "instead of 15015/2 before rounding", id="a line less"
        ),
    ],
)
def test_wrong_rounding_is_found(lines: list[BillingEvent], problem: str) -> None:
    """A rounding line that is missing or wrong, and lines that are not what the entries are worth."""
    assert problem in "".join(wrong_lines(agreed(month(3), month(4)), lines))


def test_the_right_lines_are_no_problem() -> None:
    """Three lines and a cent less."""
    lines = [line(), line(), line(), line("-0.01", "rounding")]
    assert not list(wrong_lines(agreed(month(3), month(4)), lines))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"contract_type": "capped", "cap": {"amount": "100"}}, id="under a cap"),
        pytest.param({"policies": {**SUMMED, "correction": "adjust"}}, id="with adjusting lines"),
    ],
)
def test_terms_nobody_can_mean(changes: dict[str, object]) -> None:
    """They count as undecodable."""
    assert reckoned(terms(**{"policies": SUMMED, **changes})).dead_letters == 1
