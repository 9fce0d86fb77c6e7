"""The independent reckoning of every policy, by hand-made cases whose figures are worked out beside each."""

from __future__ import annotations

import pytest

from billtide.app.demo.reckoning import Expected

from .test_reckoning import YEARS, Sent, card, decided, one, reckoned, sent, spent, terms, time


def agreed(**policies: object) -> Sent:
    """T&M under some policies."""
    return terms(policies=policies)


def fixed(*, end: str | None = None, at_end: bool = False, **fee: object) -> Sent:
    """A fixed fee of 1,000 with 500 of expected cost."""
    return terms(
        contract_type="fixed_fee",
        end_date=end,
        policies={"accounting_date": "period_end" if at_end else "work_date"},
        fee={"amount": "1000", "estimated_cost": "500", **fee},
    )


OVERTIME = {"by_work_type": {"overtime": "1.5"}, "holiday": "2", "holidays": ["2026-03-02"]}
UP_TO_QUARTERS = {"unit_minutes": 15, "mode": "up", "minimum_minutes": 30}


@pytest.mark.parametrize(
    ("contract", "entry", "cents"),
    [
        pytest.param(agreed(time_rounding=UP_TO_QUARTERS), {"quantity": "1.1"}, 12_500, id="up to 1.25 hours"),
        pytest.param(agreed(time_rounding=UP_TO_QUARTERS), {"quantity": "0.1"}, 5_000, id="at least half an hour"),
        pytest.param(agreed(time_rounding={"unit_minutes": 6, "factor_percent": "90"}), {"quantity": "8"}, 72_000, id="a share of 7.2 hours"),
        pytest.param(agreed(), {"quantity": "8", "billable_quantity": "6"}, 60_000, id="written down to 6 hours"),
        pytest.param(agreed(multipliers=OVERTIME), {"work_type": "overtime"}, 160_000, id="the larger multiplier, 2"),
        pytest.param(agreed(multipliers={**OVERTIME, "stacking": "multiply"}), {"work_type": "overtime"}, 240_000, id="1.5 x 2"),
        pytest.param(agreed(multipliers=OVERTIME), {"rate": "90"}, 72_000, id="no multiplier on the entry's own rate"),
        pytest.param(terms(discount_percent="12.5"), {}, 70_000, id="87.5 an hour"),
        pytest.param(terms(discount_percent="50", discounts=[{"percent": "25", "effective_from": "2026-03-02"}]), {}, 60_000, id="a dated discount"),
        pytest.param(terms(discount_percent="50", discounts=[{"percent": "25", "effective_from": "2026-01-01", "effective_to": "2026-03-01"}]), {}, 40_000, id="that has ended"),
        pytest.param(agreed(multipliers=OVERTIME, multiplier_changes=[{"effective_from": "2026-03-02"}]), {}, 80_000, id="multipliers that have ended"),
        pytest.param(terms(rates=[{"rate": "800", "unit": "day"}], policies={"day_rounding": "half_day"}), {"quantity": "3"}, 40_000, id="half a day"),
        pytest.param(terms(rates=[{"rate": "100", "minimum_charge": "250"}]), {"quantity": "1"}, 25_000, id="at least 250"),
        pytest.param(terms(rates=[{"rate": "100", "maximum_charge": "500"}]), {}, 50_000, id="at most 500"),
    ],
)  # fmt: skip
def test_time(contract: Sent, entry: dict[str, object], cents: int) -> None:
    """8 hours at 100, unless the entry or the contract says otherwise; the cost stays that of the hours worked."""
    assert one(contract, time(**entry)).billed == cents


BY_KILOMETRE = {"category": "mileage", "policy": "unit_price", "unit_price": "0.3", "unit": "kilometre"}


@pytest.mark.parametrize(
    ("expenses", "entry", "billed", "cost"),
    [
        pytest.param({}, {"tax_amount": "19", "tax_recoverable": True}, 8_100, 8_100, id="recoverable tax is no cost"),
        pytest.param({}, {"tax_amount": "19"}, 10_000, 10_000, id="other tax is"),
        pytest.param({}, {"personal_amount": "40"}, 6_000, 6_000, id="nor is the personal part"),
        pytest.param({"categories": [BY_KILOMETRE]}, {"category": "mileage", "amount": None, "quantity": "150", "unit": "kilometre"}, 4_500, 4_500, id="150 x 0.30"),
        pytest.param({}, {"amount": None, "quantity": "3", "unit_price": "12.5"}, 3_750, 3_750, id="its own unit price"),
        pytest.param({"line_cap": "80"}, {}, 8_000, 10_000, id="at most 80"),
        pytest.param({"line_cap": "80"}, {"amount": "-100"}, -8_000, -10_000, id="of a refund too"),
        pytest.param({"policy": "non_billable", "categories": [{"category": "rail", "policy": "mark_up", "mark_up_percent": "5"}]}, {}, 10_500, 10_000, id="a category of its own"),
        pytest.param({"categories": [{"category": "meal", "policy": "non_billable"}]}, {"amount": None, "items": [{"category": "rail", "amount": "30"}, {"category": "meal", "amount": "9"}]}, 3_000, 3_900, id="items"),
    ],
)  # fmt: skip
def test_expenses(expenses: dict[str, object], entry: dict[str, object], billed: int, cost: int) -> None:
    """100 for a train ride, unless the expense or its category's terms say otherwise."""
    got = one(terms(expenses=expenses), spent(**entry))
    assert (got.billed, got.cost) == (billed, cost)


@pytest.mark.parametrize(
    ("expenses", "entry", "reason"),
    [
        pytest.param({"receipt_above": "99.99"}, {}, "receipt_missing", id="no receipt"),
        pytest.param({"categories": [BY_KILOMETRE]}, {"category": "mileage", "amount": None, "quantity": "1", "unit": "mile"}, "unit_price_missing", id="another unit"),
    ],
)  # fmt: skip
def test_expenses_that_wait(expenses: dict[str, object], entry: dict[str, object], reason: str) -> None:
    """What is not known is held, not billed."""
    assert reckoned(terms(expenses=expenses), spent(**entry)).held == {reason: 1}


ANNA = {"approver_id": "R-7", "level": "manager", "valid_to": "2026-03-31", "delegates": [{"approver_id": "R-8"}]}
LARGE = {"approval_thresholds": [{"level": "finance", "amount": "800"}]}


@pytest.mark.parametrize(
    ("policies", "decisions", "billed", "held"),
    [
        pytest.param(LARGE, [decided()], 0, {}, id="finance is missing"),
        pytest.param(LARGE, [decided(), decided(level="finance")], 80_000, {}, id="finance approved"),
        pytest.param({"approval_thresholds": [{"level": "finance", "amount": "401", "of": "cost"}]}, [decided()], 80_000, {}, id="cost of 400 is below"),
        pytest.param({"auto_approve_under": "800.01"}, [], 80_000, {}, id="small enough"),
        pytest.param({"auto_approve_under": "800"}, [], 0, {}, id="not small enough"),
        pytest.param({"approvers": [ANNA]}, [decided(approver_id="R-7", decided_on="2026-03-31")], 80_000, {}, id="who is named"),
        pytest.param({"approvers": [ANNA]}, [decided(approver_id="R-7", decided_on="2026-04-01")], 0, {"approver_not_allowed": 1}, id="too late"),
        pytest.param({"approvers": [ANNA]}, [decided(approver_id="R-8", on_behalf_of="R-7", decided_on="2026-03-31")], 80_000, {}, id="a delegate"),
        pytest.param({"approvers": [ANNA]}, [decided(approver_id="R-9", verdict="rejected")], 0, {"approver_not_allowed": 1}, id="somebody else"),
    ],
)  # fmt: skip
def test_approval(policies: dict[str, object], decisions: list[Sent], billed: int, held: dict[str, int]) -> None:
    """800 at a cost of 400 are billed when all who have to have approved; else they are work in progress."""
    got = reckoned(agreed(**policies), time(status="submitted"), *decisions)
    assert (got.engagements["E-1"].billed, got.engagements["E-1"].unbilled) == (billed, 80_000 - billed)
    assert got.held == held


def under(*caps: dict[str, object], whole: str | None = None, **cap: object) -> Sent:
    """Partial caps, with one on the whole if its amount is given."""
    return terms(contract_type="capped", caps=caps, cap=None if whole is None else {"amount": whole, **cap})


TASK = {"id": "T", "amount": "300", "tasks": ["design"]}


@pytest.mark.parametrize(
    ("contract", "billed"),
    [
        pytest.param(under(TASK), [30_000, 80_000], id="300 of design and 800 of the rest"),
        pytest.param(under(TASK, whole="1000"), [30_000, 70_000], id="and 1,000 in all"),
        pytest.param(under({"id": "D", "amount": "700", "per": "day"}), [70_000, 70_000], id="700 on each of two days"),
        pytest.param(under({"id": "P", "amount": "100", "resources": ["R-2"]}), [80_000, 80_000], id="nobody the cap is on"),
        pytest.param(under(whole="1500", tolerance="100"), [80_000, 80_000], id="within the tolerance"),
        pytest.param(under(whole="1500", tolerance="99"), [80_000, 70_000], id="beyond the tolerance"),
        pytest.param(under({**TASK, "per": "week", "mode": "hold"}, whole="1600"), [0, 80_000], id="whole or not at all"),
    ],
)  # fmt: skip
def test_caps(contract: Sent, billed: list[int]) -> None:
    """800 of design on Monday and 800 of something else on Tuesday."""
    got = one(contract, time(id="T-2", work_date="2026-03-03"), time(task_id="design"))
    assert list(got.by_entry.values()) == billed
    assert (got.billed, got.held) == (sum(billed), 160_000 - sum(billed))


def test_caps_that_stop_beside_caps_that_hold() -> None:
    """Of 800 on Monday 500 are billed, 100 held by the smaller cap and 200 not charged; of Tuesday's 600, 300 wait."""
    stopping = {"id": "S", "amount": "600", "mode": "stop", "per": "day"}
    got = one(under(stopping, whole="800"), time(), time(id="T-2", work_date="2026-03-03", quantity="6"))

    assert list(got.by_entry.values()) == [60_000, 20_000]
    assert (got.held, got.non_chargeable, got.cap_reached) == (40_000, 20_000, 1)


def money(expected: Expected) -> tuple[int, int, int | None]:
    """Fees billed, revenue earned, loss provided."""
    return expected.fees, expected.earned, expected.loss_provision


HALVES = [{"id": "A", "percent": "50", "reached_on": "2026-03-03"}, {"id": "B", "percent": "50"}]
PRICED_ALONE = [{**half, "standalone_price": price} for half, price in zip(HALVES, ("200", "100"), strict=True)]


@pytest.mark.parametrize(
    ("contract", "entry", "figures"),
    [
        pytest.param(fixed(), {}, (0, 80_000, 0), id="400 of 500 cost"),
        pytest.param(fixed(percent_places=0, estimated_cost="600"), {}, (0, 67_000, 0), id="66.67 % are 67 %"),
        pytest.param(fixed(progress="hours_to_hours", estimated_hours="32"), {}, (0, 25_000, 0), id="8 of 32 hours"),
        pytest.param(fixed(progress="milestone", milestones=HALVES), {}, (50_000, 50_000, 0), id="one of two milestones"),
        pytest.param(fixed(progress="milestone", milestones=PRICED_ALONE), {}, (50_000, 66_667, 0), id="2 of 3 by what they cost alone"),
        pytest.param(fixed(milestones=HALVES), {}, (50_000, 80_000, 0), id="billed by milestones, earned by cost"),
        pytest.param(fixed(progress="straight_line", end="2026-12-31"), {}, (0, 16_712, 0), id="61 of 365 days"),
        pytest.param(fixed(progress="straight_line", end="2026-12-31", at_end=True), {}, (0, 100_000, 0), id="365 of 365 days, posted at the period's end"),
        pytest.param(fixed(), {"progress_excluded": "waste"}, (0, 0, 0), id="waste earns nothing"),
        pytest.param(fixed(), {"progress_excluded": "uninstalled"}, (0, 40_000, 0), id="uninstalled earns its cost"),
        pytest.param(fixed(estimated_cost="1600"), {}, (0, 25_000, 45_000), id="a loss of 600, of which 150 are shown"),
        pytest.param(fixed(estimated_cost="1600", loss_provision="none"), {}, (0, 25_000, 0), id="no provision"),
    ],
)  # fmt: skip
def test_fixed_fees(contract: Sent, entry: dict[str, object], figures: tuple[int, int, int]) -> None:
    """8 hours that cost 400, by every measure of progress."""
    assert money(one(contract, time(**entry), YEARS)) == figures


def test_a_milestone_of_a_closed_month_waits() -> None:
    """It is billed once the month opens."""
    closed = sent("periods", id="2026-02", start_date="2026-02-01", end_date="2026-02-28", status="closed")
    reached = [{**HALVES[0], "reached_on": "2026-02-10"}, HALVES[1]]
    march = sent("periods")
    assert one(fixed(milestones=reached), time(), closed, march).fees == 0


def test_a_card_that_changes_back_in_time_prices_anew() -> None:
    """The higher version from the same day counts, for what was done before it came too."""
    dearer = card(version=2, lines=[{"rate": "110"}])
    assert one(time(), card(), dearer).billed == 88_000
