"""The loss of a fixed fee: whole as soon as it is known, used up by the work, never counted twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .. import builders as records
from . import sums

TERMS = {"amount": "1000", "estimated_cost": "1200"}


def fixed(revision: int = 1, **fee: object) -> records.Object:
    """A fee of 1,000 that is expected to cost 1,200."""
    return records.engagement(contract_type="fixed_fee", fee=TERMS | fee, revision=revision)


def losses(task: records.Task) -> list[str]:
    """What each loss event debits to the project's loss; what it releases is negative."""
    return [
        f"{'' if line['side'] == 'debit' else '-'}{line['amount']}"
        for event in task.out["accruals"]
        if event["kind"] == "loss"
        for line in event["lines"]
        if line["account"] == "project_loss"
    ]


def ready(terms: records.Object) -> records.Task:
    """A task that keeps what the terms brought about; R1 costs 50 an hour."""
    task = records.Task()
    task.refer("rate-cards", records.rate_card())
    task.refer("resources", records.resource())
    task.refer("periods", records.year())
    task.send("engagements", terms)
    return task


def work(hours: str, name: str = "1", **changes: object) -> records.Object:
    """Approved time."""
    return records.time_entry(id=name, status="approved", quantity=hours, **changes)


def test_the_whole_loss_is_provided_before_any_work() -> None:
    """1,200 of cost for a fee of 1,000: 200 at once, dated on the first day, with balanced accounts."""
    task = ready(fixed())
    (event,) = task.out["accruals"]

    assert losses(task) == ["200.00"]
    assert (event["id"], event["accounting_date"]) == ("crm:engagement:E1:1:loss:0", "2026-01-01")
    assert [(line["account"], line["side"]) for line in event["lines"]] == [
        ("project_loss", "debit"),
        ("loss_provision", "credit"),
    ]
    assert task.figures()["loss_provision"] == "200.00"


def test_the_provision_is_used_up_by_the_work() -> None:
    """Half the cost shows half the loss in cost and revenue; the provision keeps the other half; at the end nothing."""
    task = ready(fixed())
    task.send("time-entries", work("12"))
    assert (task.figures()["margin"], task.figures()["loss_provision"]) == ("-100.00", "100.00")
    task.send("time-entries", work("12", "2"))

    assert (task.figures()["margin"], task.figures()["loss_provision"]) == ("-200.00", "0.00")
    assert losses(task) == ["200.00", "-100.00", "-100.00"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"estimated_cost": "1500"}, ["200.00", "300.00"], id="a-higher-estimate"),
        pytest.param({"estimated_cost": "900"}, ["200.00", "-200.00"], id="no-loss-any-more"),
        pytest.param({"amount": "1300"}, ["200.00", "-200.00"], id="a-higher-fee"),
        pytest.param({"loss_provision": "none"}, ["200.00", "-200.00"], id="not-provided-any-more"),
        pytest.param({"progress": "hours_to_hours", "estimated_hours": "24"}, ["200.00"], id="another-measure"),
    ],
)
def test_new_terms_adjust_the_provision_at_once(changed: records.Object, expected: list[str]) -> None:
    """The difference is posted with the revision that changes the loss, not with the next entry."""
    task = ready(fixed())
    task.send("engagements", fixed(2, **changed))

    assert losses(task) == expected


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param(fixed(estimated_cost="1000"), id="no-loss"),
        pytest.param(fixed(loss_provision="none"), id="policy-none"),
        pytest.param(records.engagement(), id="time-and-materials"),
        pytest.param(records.engagement(contract_type="fixed_fee", fee={"amount": "10", "progress": "straight_line"}, end_date="2026-12-31"), id="no-estimate"),
        pytest.param(records.engagement(contract_type="fixed_fee", fee={"amount": "1000", "estimated_cost": "1000", "progress": "straight_line"}, end_date="2026-11-20"), id="revenue-ahead-of-cost"),
    ],
)  # fmt: skip
def test_nothing_is_provided_without_a_loss(terms: records.Object) -> None:
    """No loss, no estimate or the policy `none`: no event."""
    task = ready(terms)
    task.send("time-entries", work("2"))

    assert losses(task) == []


def test_cost_beyond_the_estimate_needs_no_provision() -> None:
    """What is spent is in the ledgers: 1,500 of cost for a fee of 1,000 shows 500 and leaves nothing to provide."""
    task = ready(fixed())
    task.send("time-entries", work("30"))

    assert (task.figures()["margin"], task.figures()["loss_provision"]) == ("-500.00", "0.00")


def test_waste_is_no_part_of_the_expected_loss() -> None:
    """Wasted cost is a loss of its own; the provision stays what the estimate says."""
    task = ready(fixed())
    task.send("time-entries", work("10", progress_excluded="waste"))

    assert (task.figures()["margin"], task.figures()["loss_provision"]) == ("-500.00", "200.00")


def test_a_provision_in_a_closed_period_is_held() -> None:
    """The first day cannot be posted to: the terms wait and provide by themselves when it can."""
    task = records.Task()
    task.refer("periods", records.year("closed"))
    assert task.send("engagements", fixed()) == "held"
    assert losses(task) == []
    task.refer("periods", records.year(revision=2))

    assert losses(task) == ["200.00"]


def test_an_entry_on_an_open_date_ends_the_wait() -> None:
    """What the terms could not post on their first day is posted with the entry, and told as released once."""
    task = records.Task()
    task.refer("resources", records.resource())
    january = records.period(id="2026-01", start_date="2026-01-01", end_date="2026-01-31", status="closed")
    task.refer("periods", january, records.period())
    assert task.send("engagements", fixed()) == "held"
    task.send("time-entries", work("12"))

    assert losses(task) == ["100.00"]
    assert [event["action"] for event in task.out["exceptions"]] == ["held", "released"]
    assert task.state.holds.waited_on() == []
    sums.ids_are_unique(task)


methods = st.sampled_from([{}, {"progress": "hours_to_hours", "estimated_hours": "30"}, {"percent_places": 0}])
entries = st.lists(st.tuples(st.sampled_from(["0", "1", "7.77"]), st.sampled_from(["approved", "deleted"])), max_size=6)


@given(methods, st.lists(st.sampled_from(["900", "1100", "1200.01", "2000"]), max_size=4), entries)
def test_cost_and_provision_show_the_whole_loss(
    method: records.Object, estimates: list[str], worked: list[tuple[str, str]]
) -> None:
    """While a loss is expected and not all spent, margin less provision is exactly fee less estimate, at all times."""
    task = ready(fixed(**method))
    for revision, estimate in enumerate([*estimates, "1200"], 2):
        for at, (hours, status) in enumerate(worked):
            task.send("time-entries", work(hours, str(at)) | {"revision": revision, "status": status})
        task.send("engagements", fixed(revision, estimated_cost=estimate, **method))
        figures = task.figures()
        loss = sums.minor(estimate) - 100_000
        shown = sums.minor(figures["loss_provision"]) - sums.minor(figures["margin"])
        assert shown >= loss
        if loss > 0 and figures["loss_provision"] != "0.00":
            assert shown == loss
    assert sum(sums.minor(amount) for amount in losses(task)) == sums.minor(task.figures()["loss_provision"])
    sums.ids_are_unique(task)
    sums.journals_balance(task)
