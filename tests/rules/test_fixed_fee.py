"""Measures of a fixed fee's progress: each from what is approved, caught up at once, the same in any order."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.codecs.entry_state import EntryState
from billtide.codecs.errors import UndecodableError
from billtide.codecs.records import EngagementState

from .. import builders as records
from . import sums
from .builders import MILLION, Known, Ledger, contract, expense, person, version
from .histories import chances, histories, play

if TYPE_CHECKING:
    from .histories import History

YEAR = {"start_date": "2026-01-01", "end_date": "2026-12-31"}
HOURS = {"progress": "hours_to_hours", "estimated_hours": "600"}
DAYS = {"progress": "straight_line"}


def fixed(**fee: object) -> object:
    """A fee of 120,000 over the year 2026, by any measure."""
    return contract(contract_type="fixed_fee", fee={"amount": "120000", "estimated_cost": "60000", **fee}, **YEAR)


def hours(quantity: str, **changes: object) -> object:
    """Approved time."""
    return version(status="approved", quantity=int(quantity) * MILLION, **changes)


def earned(ledger: Ledger) -> list[str]:
    """What each revenue event adds."""
    return [event.amount for event in ledger.effects.revenue]


def test_hours_to_hours_is_approved_hours_over_estimated_hours() -> None:
    """150 of 600 hours of 120,000 are 30,000; submitted hours are none; 75 more are 15,000."""
    ledger = Ledger(fixed(**HOURS))
    ledger.send(hours("150"))
    ledger.send(version(id="2", quantity=75 * MILLION))
    assert earned(ledger) == ["30000.00"]
    ledger.decide("approved", entry="2")

    assert earned(ledger) == ["30000.00", "15000.00"]
    assert [(step.step, step.value) for step in ledger.effects.revenue[-1].trace] == [
        ("fee", "120000.00"),
        ("progress", "225/600"),
    ]


def test_hours_of_work_that_costs_nothing_count() -> None:
    """Hours are progress whatever they cost, also when the cost was posted before the approval."""
    ledger = Ledger(fixed(**HOURS), Known(person(cost_rates=[{"rate": "0", "currency": "EUR"}])))
    ledger.send(version(quantity=150 * MILLION))
    ledger.decide("approved")
    assert earned(ledger) == ["30000.00"]
    ledger.decide("recalled", sequence=2)

    assert earned(ledger) == ["30000.00", "-30000.00"]
    assert ledger.engagement.progress_time == 0


def test_wasted_hours_are_no_progress() -> None:
    """Hours outside progress count neither when they are approved nor when they are settled again."""
    ledger = Ledger(fixed(**HOURS))
    ledger.send(hours("150", progress_excluded="waste"))
    ledger.settle()

    assert (earned(ledger), ledger.engagement.progress_time) == ([], 0)


def test_hours_of_days_follow_the_length_of_a_day() -> None:
    """An entry in days that is settled again under a shorter day counts fewer hours."""
    ledger = Ledger(fixed(**HOURS), Known(person(cost_rates=[{"rate": "0", "currency": "EUR"}])))
    ledger.send(hours("30", unit="day"))
    ledger.contract = contract(
        contract_type="fixed_fee", fee={"amount": "120000", **HOURS}, policies={"hours_per_day": "4"}, **YEAR
    )
    ledger.settle()

    assert earned(ledger) == ["48000.00", "-24000.00"]


def test_expenses_are_no_hours() -> None:
    """Under hours_to_hours an expense adds cost and no progress."""
    ledger = Ledger(fixed(**HOURS))
    ledger.send(expense(status="approved"))

    assert [event.method for event in ledger.effects.revenue] == ["as_billed"]


@pytest.mark.parametrize(
    ("work_date", "amount", "days"),
    [
        pytest.param("2026-01-01", "328.77", "1/365", id="first-day"),
        pytest.param("2026-03-31", "29589.04", "90/365", id="a-quarter"),
        pytest.param("2026-12-31", "120000.00", "365/365", id="last-day"),
    ],
)
def test_straight_line_is_days_through_the_latest_entry(work_date: str, amount: str, days: str) -> None:
    """Days elapsed, both ends included, of all days; an earlier entry changes nothing."""
    task = records.ready_task(records.engagement(contract_type="fixed_fee", fee={"amount": "120000", **DAYS}, **YEAR))
    task.send("time-entries", records.time_entry(status="approved", work_date=work_date))
    task.send("time-entries", records.time_entry(id="2", status="approved", work_date="2026-01-01"))

    assert task.amounts("revenue") == [amount]
    assert task.out["revenue"][0]["trace"][-1]["value"] == days


def test_days_after_the_end_earn_no_more_than_the_fee() -> None:
    """Work after the last day, and none before the first, stay within the fee."""
    terms = records.engagement(contract_type="fixed_fee", fee={"amount": "100", **DAYS}, start_date="2026-05-01", end_date="2026-05-31")  # fmt: skip
    task = records.ready_task(terms)
    task.send("time-entries", records.time_entry(status="approved", work_date="2026-04-01"))
    assert task.amounts("revenue") == []
    task.send("time-entries", records.time_entry(id="2", status="approved", work_date="2026-11-20"))

    assert task.amounts("revenue") == ["100.00"]


def test_a_withdrawn_entry_takes_its_day_with_it() -> None:
    """The latest date is that of entries that stand, so that whether an entry ever came makes no difference (M9)."""
    task = records.ready_task(records.engagement(contract_type="fixed_fee", fee={"amount": "36500", **DAYS}, **YEAR))
    for name, date in (("1", "2026-01-10"), ("2", "2026-01-20"), ("3", "2026-01-20")):
        task.send("time-entries", records.time_entry(id=name, status="approved", work_date=date))
    for name in ("2", "3"):
        task.send("time-entries", records.time_entry(id=name, revision=2, status="deleted", work_date="2026-01-20"))

    assert task.amounts("revenue") == ["1000.00", "1000.00", "-1000.00"]


def test_revenue_of_a_milestone_is_earned_on_the_day_it_is_billed() -> None:
    """Without any entry, milestones reached are the revenue to date, with the bills as its trace."""
    milestones = [{"id": "M1", "percent": "40", "reached_on": "2026-05-04"}, {"id": "M2", "percent": "60"}]
    fee = {"amount": "1000", "progress": "milestone", "milestones": milestones}
    task = records.Task()
    task.refer("periods", records.year())
    task.send("engagements", records.engagement(contract_type="fixed_fee", fee=fee))
    (event,) = task.out["revenue"]

    assert (event["method"], event["amount"], event["accounting_date"]) == ("milestone", "400.00", "2026-05-04")
    assert event["trace"][-1] == {"step": "progress", "value": "M1 400.00", "source": "milestones billed"}
    assert (task.figures()["contract_asset"], task.figures()["contract_liability"]) == ("0.00", "0.00")


SWITCHES = [
    pytest.param({"estimated_cost": "120000"}, ["-5000.00"], id="estimate"),
    pytest.param({"amount": "240000"}, ["10000.00"], id="fee"),
    pytest.param(HOURS, ["10000.00"], id="hours"),
    pytest.param(DAYS, ["96520.55"], id="days"),
    pytest.param({"percent_places": 0}, ["-400.00"], id="whole-percent"),
    pytest.param({"uninstalled_cost": "30000"}, ["5000.00"], id="uninstalled-expected"),
    pytest.param(
        {"progress": "milestone", "milestones": [{"id": "1", "percent": "100", "reached_on": "2026-11-01"}]},
        ["110000.00"], id="milestone",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "catch_up"), SWITCHES)
def test_another_estimate_fee_or_method_catches_up_at_once(changed: records.Object, catch_up: list[str]) -> None:
    """100 h at 50 of 60,000 earn 10,000 of 120,000; new terms post the difference without another entry."""
    fee = {"amount": "120000", "estimated_cost": "60000"}
    terms = records.engagement(contract_type="fixed_fee", fee=fee, **YEAR)
    task = records.ready_task(terms)
    task.send("time-entries", records.time_entry(status="approved", quantity="100"))
    assert task.amounts("revenue") == ["10000.00"]
    task.send("engagements", terms | {"revision": 2, "fee": fee | changed})

    assert task.amounts("revenue")[1:] == catch_up


@pytest.mark.parametrize(
    ("excluded", "revenue", "approved"),
    [
        pytest.param(None, "12000.00", 600_000, id="counted"),
        pytest.param("uninstalled", "6000.00", 600_000, id="uninstalled-earns-its-cost"),
        pytest.param("waste", None, 600_000, id="waste-earns-nothing"),
    ],
)
def test_cost_outside_progress(excluded: str | None, revenue: str | None, approved: int) -> None:
    """6,000 of 60,000: a tenth of the fee, or zero margin, or nothing; in every case it is approved cost."""
    ledger = Ledger(fixed())
    ledger.send(expense(status="approved", amount=600_000, billable=False, progress_excluded=excluded))

    assert earned(ledger) == ([] if revenue is None else [revenue])
    assert ledger.engagement.approved_cost == ledger.engagement.cost == approved


def test_cost_that_is_installed_later_counts_from_then_on() -> None:
    """A revision that counts takes the zero-margin revenue back and earns by progress; a mark of waste takes all."""
    ledger = Ledger(fixed())
    for revision, excluded in enumerate(("uninstalled", None, "waste"), 1):
        ledger.send(expense(revision=revision, status="approved", amount=600_000, billable=False, progress_excluded=excluded))  # fmt: skip

    assert ledger.engagement.recognised == 0
    assert ledger.engagement.waste_cost == 600_000
    assert ledger.engagement.uninstalled_cost == 0
    assert earned(ledger) == ["6000.00", "-6000.00", "12000.00", "-12000.00"]


def test_uninstalled_cost_never_earns_more_than_the_fee() -> None:
    """Material above the fee earns the fee; the estimate is then no measure any more."""
    ledger = Ledger(fixed())
    ledger.send(expense(status="approved", amount=15_000_000, billable=False, progress_excluded="uninstalled"))

    assert ledger.engagement.recognised == 12_000_000


@pytest.mark.parametrize(
    ("fee", "changes", "field", "fix"),
    [
        pytest.param({"estimated_cost": None}, {}, "$.fee.estimated_cost", "expected cost at completion", id="no-cost"),
        pytest.param({"estimated_cost": "0", **HOURS}, {}, "$.fee.estimated_cost", "above zero", id="cost-zero"),
        pytest.param({"progress": "hours_to_hours"}, {}, "$.fee.estimated_hours", "expected hours", id="no-hours"),
        pytest.param(HOURS | {"estimated_hours": "0"}, {}, "$.fee.estimated_hours", "above zero", id="hours-zero"),
        pytest.param(DAYS, {"end_date": None}, "$.end_date", "last day", id="no-end"),
        pytest.param({"progress": "milestone"}, {}, "$.fee.milestones", "sum to the fee", id="no-milestones"),
        pytest.param({"uninstalled_cost": "60000"}, {}, "$.fee.uninstalled_cost", "below estimated_cost", id="all-uninstalled"),
        pytest.param({"uninstalled_cost": "-1"}, {}, "$.fee.uninstalled_cost", "zero or more", id="less-than-none"),
        pytest.param({"uninstalled_cost": "1", "estimated_cost": None, **HOURS}, {}, "$.fee.uninstalled_cost", "estimated_cost", id="of-no-estimate"),
    ],
)  # fmt: skip
def test_a_measure_needs_its_whole(fee: records.Object, changes: records.Object, field: str, fix: str) -> None:
    """Terms that cannot be measured are refused with the field and what to send."""
    agreed = {"amount": "120000", "estimated_cost": "60000", **fee}
    with pytest.raises(UndecodableError) as caught:
        contract(contract_type="fixed_fee", fee=agreed, **(YEAR | changes))

    assert caught.value.field == field
    assert fix in caught.value.fix


def test_a_percentage_has_at_most_six_places() -> None:
    """More places, or fewer than none, are refused where they are read."""
    with pytest.raises(UndecodableError, match="percent_places"):
        fixed(percent_places=7)


@pytest.mark.parametrize(("shape", "fields"), [(EngagementState("E1"), 7), (EntryState(version()), 2)])
def test_what_an_older_worker_kept_is_still_read(shape: msgspec.Struct, fields: int) -> None:
    """A record without the fields of progress means none of it."""
    whole = msgspec.msgpack.decode(msgspec.msgpack.encode(shape))
    older = msgspec.msgpack.encode(whole[:-fields])

    assert shape == msgspec.msgpack.decode(older, type=type(shape))


fees = st.sampled_from(
    [
        {"estimated_cost": "5000"},
        {"estimated_cost": "700", "percent_places": 1},
        {"estimated_cost": "5000", "uninstalled_cost": "300"},
        {"progress": "hours_to_hours", "estimated_hours": "20", "estimated_cost": "1500"},
        {"progress": "straight_line"},
        {"progress": "milestone", "milestones": [{"id": "1", "percent": "40", "reached_on": "2026-11-01"}, {"id": "2", "percent": "60"}]},
        {"estimated_cost": "1500", "milestones": [{"id": "1", "percent": "40", "reached_on": "2026-11-01"}, {"id": "2", "percent": "60"}]},
    ]
)  # fmt: skip
terms = fees.map(lambda fee: records.engagement(contract_type="fixed_fee", fee={"amount": "1000", **fee}, **YEAR))
FIGURES = ("earned", "recognised", "fees", "cost", "approved_cost", "progress_time", "waste_cost", "uninstalled_cost", "progress_dates", "loss_provision")  # fmt: skip
LAW = settings(max_examples=60)


def marked(history: History, seed: int) -> History:
    """The same history, entries spread over November and some of their revisions outside progress."""
    chance = Random(seed)
    for stream, date in (("time-entries", "work_date"), ("expenses", "spent_on")):
        changed: dict[tuple[str, int], records.Object] = {}
        for sent in history.streams[stream]:
            key = sent["id"], sent["revision"]
            if key not in changed:
                excluded = chance.choice([{}, {}, {"progress_excluded": "waste"}, {"progress_excluded": "uninstalled"}])
                changed[key] = sent | excluded | {date: f"2026-11-{chance.randint(1, 30):02}"}
        history.streams[stream][:] = [changed[sent["id"], sent["revision"]] for sent in history.streams[stream]]
    return history


def money(task: records.Task) -> dict[str, object]:
    """All that progress keeps of the engagement."""
    state = task.state.engagements.get(task.state.engagements.key("E1"))
    return {name: getattr(state, name) for name in FIGURES}


def asset(task: records.Task) -> int:
    """Balance of the contract asset by the journals: negative is a liability."""
    return sum(
        sums.minor(line["amount"]) * (1 if line["side"] == "debit" else -1)
        for event in (*task.out["revenue"], *task.out["accruals"])
        for line in event["lines"]
        if line["account"] == "contract_asset"
    )


def test_another_contract_type_takes_everything_back() -> None:
    """A fixed fee that becomes time and materials is earned as billed: no progress, milestone or provision is left."""
    milestones = [{"id": "1", "percent": "40", "reached_on": "2026-11-01"}, {"id": "2", "percent": "60"}]
    fee = {"amount": "1000", "estimated_cost": "1500", "milestones": milestones}
    task = records.ready_task(records.engagement(contract_type="fixed_fee", fee=fee))
    task.send("time-entries", records.time_entry(status="approved"))
    task.send("engagements", records.engagement(revision=2))
    figures = task.figures()

    assert (figures["earned"], figures["billed"], figures["fees"]) == ("800.00", "800.00", "0.00")
    assert (figures["loss_provision"], figures["contract_asset"]) == ("0.00", "0.00")
    assert money(task)["progress_dates"] == {}


@LAW
@given(histories(terms), st.lists(terms, max_size=2), st.integers(0, 99), chances, chances, st.integers(0, 4))
def test_any_order_gives_the_same_progress(
    history: History, later: list[records.Object], seed: int, chance: Random, other: Random, restart_every: int
) -> None:
    """Whatever the measures, fees and milestones, and whenever they change: two orders leave the same money (M9).

    One of them meets crashes; in both the journals say what the figures say.
    """
    history = marked(history, seed)
    history.streams["engagements"][:] = [history.terms, *(sent | {"revision": at} for at, sent in enumerate(later, 2))]
    one = play(history.interleaved(chance))
    two = play(history.interleaved(other), restart_every=restart_every)

    assert money(one) == money(two)
    for task in (one, two):
        sums.journals_balance(task)
        sums.ids_are_unique(task)
        sums.figures_are_sums(task)
        figures = task.figures()
        ahead = sums.minor(figures["contract_asset"]) - sums.minor(figures["contract_liability"])
        assert asset(task) == ahead
