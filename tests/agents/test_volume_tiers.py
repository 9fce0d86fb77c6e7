"""Volume tiers through the whole task: which entry lies in which tier, in any order, after any change (M9)."""

from __future__ import annotations

import datetime as dt
import itertools
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.agents.rules import tiers

from ..builders import Task, approval, engagement, rate_card, ready_task, time_entry, year
from ..rules import sums
from ..rules.model import rounded

if TYPE_CHECKING:
    from ..builders import Object

MODES = ["half_up", "half_even", "up", "down"]
LAW = settings(max_examples=120)
TIERS = [{"above": "10", "rate": "90"}, {"above": "20", "rate": "80"}]


def tiered(revision: int = 1, unit: str = "hour", rate: str = "100", **tiers: object) -> Object:
    """Terms at 100 an hour, 90 above 10 hours and 80 above 20."""
    line = {"rate": rate, "unit": unit, "volume_tiers": {"tiers": TIERS, **tiers}}
    return engagement(revision=revision, rates=[line])


def work(at: int, quantity: str = "8", **changes: object) -> Object:
    """An approved entry of the day with this number in November 2026."""
    return time_entry(
        **{"id": str(at), "status": "approved", "quantity": quantity, "work_date": f"2026-11-{at:02}", **changes}
    )


def billed(task: Task) -> dict[str, str]:
    """What stands of each entry, in minor units, with the rate of its last line."""
    found: dict[str, str] = {}
    for name in sorted({line["entry_id"] for line in task.out["billing"]}, key=int):
        lines = [line for line in task.out["billing"] if line["entry_id"] == name]
        found[name] = f"{sum(sums.minor(line['amount']) for line in lines)} at {lines[-1]['rate']}"
    return found


def test_each_hour_costs_what_its_tier_says() -> None:
    """Three days of 8 h: 8 at 100; 2 at 100 and 6 at 90; 4 at 90 and 4 at 80. Quantity x rate is the amount (M1)."""
    task = ready_task(tiered())
    for at in (1, 2, 3):
        task.send("time-entries", work(at))

    assert billed(task) == {"1": "80000 at 100", "2": "74000 at 92.5", "3": "68000 at 85"}
    assert [step["value"] for step in task.out["billing"][1]["trace"]] == ["100/hour", "100/hour", "90/hour", "92.5/hour", "half_up"]  # fmt: skip
    assert task.out["billing"][1]["trace"][1:4] == [
        {"step": "tier", "value": "100/hour", "source": "in the first tier, 2 hours of it, 8 hours before: hours of crm:E1 role -, grade -, item -"},
        {"step": "tier", "value": "90/hour", "source": "above 10 hours, 6 hours of it, 8 hours before: hours of crm:E1 role -, grade -, item -"},
        {"step": "tier_rate", "value": "92.5/hour", "source": "740.00 EUR / 8 hour, each part at the rate of its tier"},
    ]  # fmt: skip


def test_an_earlier_day_that_comes_later_moves_only_what_crosses_a_tier() -> None:
    """Of five days only those that now lie otherwise are reversed and billed anew, however late the first arrives."""
    task = ready_task(tiered())
    for at in (2, 3, 4, 5, 6):
        task.send("time-entries", work(at, "4"))
    task.restart()
    task.clear()
    task.send("time-entries", work(1, "1"))

    assert [(line["entry_id"], line["action"], line["amount"]) for line in task.out["billing"]] == [
        ("1", "charge", "100.00"),
        ("4", "reversal", "-380.00"),
        ("4", "charge", "370.00"),
        ("6", "reversal", "-360.00"),
        ("6", "charge", "350.00"),
    ]


def test_a_withdrawn_entry_moves_the_later_ones_back() -> None:
    """Its hours count no more: what stood above 10 hours comes below again, also right after a restart."""
    task = ready_task(tiered())
    for at in (1, 2):
        task.send("time-entries", work(at))
    task.restart()
    task.send("time-entries", work(1, revision=2, status="deleted"))

    assert billed(task) == {"1": "0 at 100", "2": "80000 at 100"}


def test_all_hours_cost_the_tier_reached() -> None:
    """10 h at 100; the eleventh makes all of them 90: the first line is reversed and billed anew."""
    task = ready_task(tiered(applies="whole_volume"))
    task.send("time-entries", work(1, "10"))
    assert billed(task) == {"1": "100000 at 100"}
    task.send("time-entries", work(2, "1"))

    assert billed(task) == {"1": "90000 at 90", "2": "9000 at 90"}
    assert [line["action"] for line in task.out["billing"]] == ["charge", "charge", "reversal", "charge"]
    assert task.out["billing"][1]["trace"][1]["source"] == (
        "above 10 hours, all, 11 hours reached: hours of crm:E1 role -, grade -, item -"
    )
    task.send("time-entries", work(2, "1", revision=2, status="recalled"))
    assert billed(task) == {"1": "100000 at 100", "2": "0 at 90"}


def test_submitted_time_is_valued_at_its_place_and_moves_nobody() -> None:
    """What is only submitted does not count for others, and follows those that do (M6, M9)."""
    task = ready_task(tiered())
    task.send("time-entries", work(1, status="submitted"), work(2))
    assert (task.figures()["unbilled"], task.figures()["billed"]) == ("800.00", "800.00")
    task.send("time-entries", work(3, status="submitted"))
    assert task.figures()["unbilled"] == "1540.00"
    task.send("approvals", approval(entry_id="1"))

    assert (task.figures()["unbilled"], task.figures()["billed"]) == ("680.00", "1540.00")


@pytest.mark.parametrize(
    ("over", "dates", "amounts"),
    [
        pytest.param("month", ["2026-10-31", "2026-11-01", "2026-11-02"], ["1000.00", "1000.00", "900.00"], id="month"),
        pytest.param("quarter", ["2026-09-30", "2026-10-01", "2026-12-31"], ["1000.00", "1000.00", "900.00"], id="quarter"),
        pytest.param("contract_year", ["2026-03-14", "2026-03-15", "2026-12-31"], ["1000.00", "1000.00", "900.00"], id="contract-year"),
        pytest.param("engagement", ["2026-01-01", "2026-06-30", "2026-12-31"], ["1000.00", "900.00", "800.00"], id="engagement"),
    ],
)  # fmt: skip
def test_a_volume_is_counted_anew_in_each_period(over: str, dates: list[str], amounts: list[str]) -> None:
    """10 h each: below the first tier in a new period, above it in the same one."""
    task = ready_task(tiered(over=over) | {"start_date": "2025-03-15"})
    for at, date in enumerate(dates):
        task.send("time-entries", work(at, "10", work_date=date))

    assert task.amounts() == amounts


@pytest.mark.parametrize("start", [dt.date(2024, 2, 29), dt.date(2024, 3, 15)])
def test_the_first_date_there_is_lies_in_the_first_year_of_a_contract(start: dt.date) -> None:
    """0001-01-01, which some systems send for no date, is before every day a contract's year begins on."""
    assert tiers._year_from(dt.date.min, start).year == dt.MINYEAR


@pytest.mark.parametrize(
    ("terms", "sent", "amounts"),
    [
        pytest.param(
            tiered(measure="amount", tiers=[{"above": "1000", "rate": "90"}]),
            [work(1), work(2)], ["800.00", "740.00"], id="by-amount-at-the-lines-own-rate",
        ),
        pytest.param(
            tiered(unit="day", rate="800", tiers=[{"above": "8", "rate": "720"}]),
            [work(1, "1", unit="day"), work(2, "12")], ["800.00", "1080.00"], id="at-a-day-rate-by-hours",
        ),
        pytest.param(
            tiered(unit="day", rate="800", measure="amount", tiers=[{"above": "800", "rate": "720"}]),
            [work(1, "1", unit="day"), work(2, "12")], ["800.00", "1080.00"], id="at-a-day-rate-by-amount",
        ),
        pytest.param(tiered(), [work(1), work(2, "4", billable_quantity="2"), work(3)], ["800.00", "200.00", "720.00"], id="billable-hours-count"),
        pytest.param(tiered(), [work(1), work(2, rate="55"), work(3)], ["800.00", "440.00", "740.00"], id="an-entrys-own-rate-does-not-count"),
        pytest.param(tiered() | {"discount_percent": "10"}, [work(1), work(2)], ["720.00", "666.00"], id="discount-on-the-tiers-rate"),
        pytest.param(tiered(), [work(1, "12"), work(2, "-4"), work(3)], ["1180.00", "-380.00", "740.00"], id="negative-hours-go-back"),
        pytest.param(tiered(), [work(1, "10"), work(2, "10"), work(3, "0")], ["1000.00", "900.00", "0.00"], id="exactly-at-a-tier-is-below-it"),
        pytest.param(tiered(tiers=[{"above": "3", "rate": "90"}]), [work(1, "7")], ["660.00"], id="an-average-that-does-not-come-out"),
        pytest.param(tiered(tiers=[{"above": "8.5", "rate": "73.37"}]), [work(1, "15")], ["1326.91"], id="half-a-cent-is-rounded-once"),
    ],
)  # fmt: skip
def test_what_counts_to_a_volume(terms: Object, sent: list[Object], amounts: list[str]) -> None:
    """Billed time at the same line, in the line's own order."""
    task = ready_task(terms)
    for one in sent:
        task.send("time-entries", one)

    assert task.amounts() == amounts


def test_lines_count_apart_and_pools_together() -> None:
    """Each role has its own volume, unless the lines name one pool."""
    for pool, amounts in (("", ["800.00", "1600.00"]), ("all", ["800.00", "1240.00"])):
        lines = [
            {"role": role, "rate": rate, "volume_tiers": {"tiers": [{"above": "10", "rate": "140"}], "pool": pool}}
            for role, rate in (("analyst", "100"), ("partner", "200"))
        ]
        task = ready_task(engagement(rates=lines))
        task.send("time-entries", work(1), work(2, role="partner"))

        assert task.amounts() == amounts


def test_a_shared_card_has_a_volume_for_each_engagement() -> None:
    """What is billed to one customer does not make it cheaper for another."""
    task = Task()
    lines = [{"role": "analyst", "rate": "100", "volume_tiers": {"tiers": TIERS}}]
    other = ready_task()
    task.reference, task.contexts = other.reference, other.contexts
    task.refer("rate-cards", rate_card(version=2, lines=lines))
    task.send("engagements", engagement(), engagement(id="E2"))
    task.send("time-entries", work(1, "12"), work(2, "12", engagement_id="E2"))

    assert task.amounts() == ["1180.00", "1180.00"]


def test_terms_with_tiers_price_what_is_posted_anew() -> None:
    """Tiers that come, change and go: each entry stands as if the last terms had been first."""
    task = ready_task()
    for at in (1, 2, 3):
        task.send("time-entries", work(at))
    task.send("engagements", tiered(2))
    assert billed(task) == {"1": "80000 at 100", "2": "74000 at 92.5", "3": "68000 at 85"}
    task.send("engagements", tiered(3, tiers=TIERS[:1]))
    assert billed(task) == {"1": "80000 at 100", "2": "74000 at 92.5", "3": "72000 at 90"}
    task.clear()
    task.send("engagements", engagement(revision=4))
    assert [line["amount"] for line in task.out["billing"] if line["action"] == "charge"] == ["800.00"] * 3
    task.send("engagements", tiered(5))
    assert task.figures()["billed"] == "2220.00"


def test_what_changes_while_there_are_no_tiers_is_not_forgotten() -> None:
    """Tiers go, an entry is withdrawn, tiers come back: the volume is that of the entries as they are then."""
    task = ready_task(tiered())
    task.send("time-entries", work(1), work(2))
    task.send("engagements", engagement(revision=2))
    task.send("time-entries", work(1, revision=2, status="deleted"))
    task.send("engagements", tiered(3))

    assert task.figures()["billed"] == "800.00"


def test_an_entry_does_not_count_before_itself() -> None:
    """Moved to a later day it is priced as if it had been there from the start."""
    task = ready_task(tiered())
    task.send("time-entries", work(1, "12"))
    task.send("time-entries", work(1, "12", revision=2, work_date="2026-11-05"))

    assert billed(task) == {"1": "118000 at 98.333333"}


def test_submitted_time_follows_the_whole_volume() -> None:
    """12 h of which nobody else has any are at 90; 12 h approved, even later ones, make the whole of them 24: 80."""
    task = ready_task(tiered(applies="whole_volume"))
    task.send("time-entries", work(1, "12", status="submitted"))
    assert task.figures()["unbilled"] == "1080.00"
    task.send("time-entries", work(2, "12"))

    assert (task.figures()["unbilled"], task.figures()["billed"]) == ("960.00", "1080.00")


def test_time_taken_back_lets_later_time_come_below_a_tier_again() -> None:
    """20 h, less 15, then 8 h from 5 to 13: an hour that comes late before all of them moves the last ones too."""
    task = ready_task(tiered(tiers=TIERS[:1]))
    task.send("time-entries", work(2, "20"), work(3, "-15"), work(4, "8"))
    assert billed(task)["4"] == "77000 at 96.25"
    task.send("time-entries", work(1, "1"))

    assert billed(task) == {"1": "10000 at 100", "2": "189000 at 94.5", "3": "-139000 at 92.666667", "4": "76000 at 95"}


def test_what_moves_in_a_closed_period_waits_until_it_opens() -> None:
    """A late entry of an open period never posts to a closed one: the moved line waits, and is right in the end (M6)."""
    task = ready_task(tiered())
    task.refer("periods", year(revision=2, end_date="2026-11-02"))
    task.refer("periods", year(id="rest", start_date="2026-11-03"))
    task.send("time-entries", work(3), work(4))
    task.refer("periods", year("closed", id="rest", revision=2, start_date="2026-11-03"))
    task.clear()
    task.send("time-entries", work(1, "1"))
    assert [(line["entry_id"], line["amount"]) for line in task.out["billing"]] == [("1", "100.00")]
    assert [(event["entry_id"], event["reason"]) for event in task.out["exceptions"]] == [("4", "period_closed")]
    task.refer("periods", year(id="rest", revision=3, start_date="2026-11-03"))

    assert [(line["entry_id"], line["amount"]) for line in task.out["billing"]][1:] == [
        ("4", "-740.00"),
        ("4", "730.00"),
    ]
    assert task.figures()["held_entries"] == {}


def test_under_a_cap_what_is_held_counts() -> None:
    """Approved hours over the cap are in their tier too, so that room changes no rate."""
    task = ready_task(tiered() | {"contract_type": "capped", "cap": {"amount": "1000"}})
    for at in (1, 2, 3):
        task.send("time-entries", work(at))

    assert [task.figures()[name] for name in ("approved_value", "billed", "held")] == ["2220.00", "1000.00", "1220.00"]


entries = st.lists(
    st.fixed_dictionaries(
        {
            "day": st.integers(1, 4),
            "quantity": st.sampled_from(["0", "0.5", "3.333", "7", "8", "-2", "15"]),
            "status": st.sampled_from(["approved", "approved", "approved", "submitted", "deleted"]),
            "again": st.sampled_from([None, None, "9", "deleted"]),
        }
    ),
    min_size=1,
    max_size=7,
)
agreements = st.fixed_dictionaries(
    {
        "applies": st.sampled_from(["marginal", "whole_volume"]),
        "measure": st.sampled_from(["hours", "amount"]),
        "tiers": st.sampled_from(
            [[{"above": "10", "rate": "90"}, {"above": "20", "rate": "80"}], [{"above": "850", "rate": "73.37"}]]
        ),
    }
)


def records_of(drawn: list[Object]) -> list[list[Object]]:
    """Each entry's revisions."""
    found = []
    for at, one in enumerate(drawn, 1):
        first = work(one["day"], one["quantity"], id=str(at), status=one["status"])
        again = one["again"]
        later = {"status": "deleted"} if again == "deleted" else {"quantity": again, "status": "approved"}
        found.append([first] if again is None else [first, {**first, "revision": 2, **later}])
    return found


def expected(drawn: list[Object], agreed: Object, mode: str, status: str) -> int:
    """What all entries that are approved, or submitted, cost, each rounded, reckoned from the records alone."""
    last = [revisions[-1] for revisions in records_of(drawn)]
    placed = sorted((e["work_date"], e["id"], Fraction(e["quantity"]), e["status"]) for e in last)
    measure = 100 if agreed["measure"] == "amount" else 1
    above = [(Fraction(tier["above"]) / measure, Fraction(tier["rate"])) for tier in agreed["tiers"]]

    def cost(hours: Fraction) -> Fraction:
        """Cost of all hours up to here, each in its tier."""
        total = min(hours, above[0][0]) * 100
        for (low, rate), (high, _) in itertools.pairwise([*above, (Fraction(10**9), Fraction(0))]):
            total += max(Fraction(0), min(hours, high) - low) * rate
        return total

    reached = sum(quantity for *_, quantity, is_ in placed if is_ == "approved")
    total, before = 0, Fraction(0)
    for *_, quantity, is_ in placed:
        own = reached if is_ == "approved" else reached + quantity
        all_at = next((rate for low, rate in reversed(above) if own > low), Fraction(100))
        price = quantity * all_at if agreed["applies"] == "whole_volume" else cost(before + quantity) - cost(before)
        before += quantity if is_ == "approved" else 0
        total += rounded(price * 100, mode) if is_ == status else 0
    return total


@LAW
@given(entries, agreements, st.sampled_from(MODES), st.randoms(use_true_random=False), st.integers(0, 3))
def test_any_order_gives_the_same_money(
    drawn: list[Object], agreed: Object, mode: Any, chance: Random, restart: int
) -> None:
    """Entries, corrections and terms in any order, with restarts: as reckoned from the records (M1, M2, M3, M9)."""
    queues = [list(revisions) for revisions in records_of(drawn)]
    queues.append([tiered(2, **agreed) | {"policies": {"rounding": mode}}])
    task = ready_task(engagement(policies={"rounding": mode}))
    count = 0
    while any(queues):
        queue = chance.choice([one for one in queues if one])
        sent = queue.pop(0)
        task.send("engagements" if "currency" in sent else "time-entries", sent)
        count += 1
        if restart and count % restart == 0:
            task.restart()

    assert sums.minor(task.figures()["billed"]) == expected(drawn, agreed, mode, "approved")
    assert sums.minor(task.figures()["unbilled"]) == expected(drawn, agreed, mode, "submitted")
    sums.journals_balance(task)
    sums.ids_are_unique(task)
    sums.figures_are_sums(task)
    for line in task.out["billing"]:
        shown = Fraction(line["quantity"]) * Fraction(line["rate"]) * 100
        assert rounded(shown, mode) == sums.minor(line["amount"]), line
