"""Drawdown of a retainer: the prepaid balance is used up by work, given back by corrections, and ends by policy."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from ..builders import Task, engagement, expense, period, rate_card, resource, time_entry
from ..rules import sums

if TYPE_CHECKING:
    from ..builders import Object


def retainer(drawdown: Object | None = None, fee: Object | None = None, **changes: object) -> Object:
    """1,000 prepaid a month from January 2026, used up by work."""
    agreed = {"amount": "1000", "drawdown": drawdown or {}} | (fee or {})
    return engagement(**{"contract_type": "retainer", "fee": agreed, **changes})


def months(*statuses: str) -> list[Object]:
    """January 2026 and so on in these statuses."""
    starts = [dt.date(2026, month, 1) for month in range(1, 13)]
    return [
        period(id=f"m{at}", start_date=str(start), end_date=str(starts[at] - dt.timedelta(days=1)), status=status)
        for at, (start, status) in enumerate(zip(starts, statuses, strict=False), start=1)
    ]


def opened(task: Task, month: int) -> None:
    """Open the months up to this one."""
    task.refer("periods", *(sent | {"revision": month} for sent in months(*["open"] * month)))


def sold(terms: Object, count: int = 1) -> Task:
    """A task with the first months open; an analyst is 100 EUR an hour."""
    task = Task()
    task.refer("resources", resource())
    task.refer("rate-cards", rate_card())
    task.refer("periods", *months(*["open"] * count, "future"))
    task.send("engagements", terms)
    return task


def work(entry: str, hours: str, date: str = "2026-01-20", **changes: object) -> Object:
    """Approved hours of an analyst."""
    return time_entry(**{"id": entry, "quantity": hours, "work_date": date, "status": "approved", **changes})


def lines(task: Task, *units: str) -> list[tuple[str, str]]:
    """Unit and amount of the billing lines with these units, all without."""
    return [(line["unit"], line["amount"]) for line in task.out["billing"] if not units or line["unit"] in units]


def money(task: Task) -> dict[str, str]:
    """What the customer owes in all, what is left of the prepayment, what is earned."""
    figures = task.figures()
    owed = sums.minor(figures["billed"]) + sums.minor(figures["fees"])
    return {"owed": f"{owed / 100:.2f}", "left": figures["prepaid_balance"], "earned": figures["earned"]}


def test_work_draws_on_the_balance() -> None:
    """The fee is deferred; work is billed at its price and taken off the bill again, against the balance."""
    task = sold(retainer())
    assert money(task) == {"owed": "1000.00", "left": "1000.00", "earned": "0.00"}

    task.send("time-entries", work("1", "6"))

    assert lines(task) == [("term", "1000.00"), ("hour", "600.00"), ("drawdown", "-600.00")]
    assert money(task) == {"owed": "1000.00", "left": "400.00", "earned": "600.00"}
    assert task.figures()["deferred"] == "400.00"
    sums.journals_balance(task)


def test_a_drawdown_explains_itself() -> None:
    """The line names the term, what was available, what its work came to; the journal uses deferred revenue up."""
    task = sold(retainer())
    task.send("time-entries", work("1", "12"))
    line = next(line for line in task.out["billing"] if line["unit"] == "drawdown")
    journal = next(event for event in task.out["accruals"] if event["id"].endswith("drawdown:deferral:0"))

    assert (line["id"], line["kind"], line["amount"], line["rate"]) == (
        "crm:fee:E1:2026-01-01:drawdown:billing:0",
        "fee",
        "-1000.00",
        "-1000.00",
    )
    assert [(step["step"], step["value"]) for step in line["trace"]] == [
        ("available", "1000.00"),
        ("used", "1200.00"),
        ("drawn", "1000.00"),
    ]
    assert {(at["account"], at["side"], at["amount"]) for at in journal["lines"]} == {
        ("deferred_revenue", "debit", "1000.00"),
        ("unbilled_receivable", "credit", "1000.00"),
    }


@pytest.mark.parametrize(
    ("overage", "owed", "earned"),
    [
        pytest.param("bill", "1200.00", "1200.00", id="billed"),
        pytest.param("absorb", "1000.00", "1000.00", id="absorbed"),
    ],
)
def test_what_exceeds_the_balance_goes_by_policy(overage: str, owed: str, earned: str) -> None:
    """12 hours at 100 on a balance of 1,000: 200 are billed, or borne by the firm."""
    task = sold(retainer({"overage": overage}))
    task.send("time-entries", work("1", "12"))

    assert money(task) == {"owed": owed, "left": "0.00", "earned": earned}
    sums.journals_balance(task)
    sums.figures_are_sums(task)


def test_overage_may_wait_for_the_next_fee() -> None:
    """12 hours on a balance of 1,000: 200 wait, are told, and are billed from February's fee."""
    task = sold(retainer({"overage": "hold"}))
    task.send("time-entries", work("1", "12"))
    (held,) = task.out["exceptions"]

    assert lines(task, "hour") == [("hour", "1000.00")]
    assert (held["reason"], held["waits_on"]) == ("balance_used_up", "balance:E1")
    assert held["message"].startswith("200.00 EUR are beyond the prepaid balance of E1; ")
    assert (money(task), task.figures()["held"]) == ({"owed": "1000.00", "left": "0.00", "earned": "1000.00"}, "200.00")

    opened(task, 2)

    assert (money(task), task.figures()["held"]) == ({"owed": "2000.00", "left": "800.00", "earned": "1200.00"}, "0.00")
    assert [e["action"] for e in task.out["exceptions"]] == ["held", "released"]
    sums.figures_are_sums(task)
    sums.journals_balance(task)


def test_room_in_the_balance_goes_to_who_waits_longest() -> None:
    """A withdrawn entry frees the balance for what was held first."""
    task = sold(retainer({"overage": "hold"}))
    task.send("time-entries", work("1", "8"), work("2", "5"), work("3", "4"))
    task.clear()
    task.send("time-entries", work("1", "8", revision=2, status="deleted"))
    charged = [
        (line["entry_id"], line["action"], line["amount"]) for line in task.out["billing"] if line["kind"] == "time"
    ]

    assert charged == [("1", "reversal", "-800.00"), ("2", "charge", "300.00"), ("3", "charge", "400.00")]
    assert (money(task)["left"], task.figures()["held"]) == ("100.00", "0.00")


def test_a_lower_fee_takes_back_what_it_no_longer_covers() -> None:
    """`rebill`: 800 of 1,000 are used; at a fee of 500, 300 are taken back and wait."""
    task = sold(retainer({"overage": "hold"}, {"billed_terms": "rebill"}))
    task.send("time-entries", work("1", "4"), work("2", "4"))
    task.send("engagements", retainer({"overage": "hold"}, {"billed_terms": "rebill", "amount": "500"}, revision=2))

    assert (money(task), task.figures()["held"]) == ({"owed": "500.00", "left": "0.00", "earned": "500.00"}, "300.00")
    sums.ids_are_unique(task)
    sums.holds_end_once(task)


@pytest.mark.parametrize("fees", [("100", "200"), ("200", "100", "200")], ids=" ".join)
def test_the_latest_gives_back_first_and_the_earliest_is_billed_again_first(fees: tuple[str, ...]) -> None:
    """Entries of 100 on a fee of 300, lowered and raised: at 200, what was worked first is billed (M8)."""
    task = sold(retainer({"overage": "hold"}, {"billed_terms": "rebill", "amount": "300"}))
    days = {"8": "2026-01-20", "9": "2026-01-24", "10": "2026-01-23"}
    task.send("time-entries", *(work(entry, "1", day) for entry, day in days.items()))
    for revision, amount in enumerate(fees, start=2):
        task.restart()
        agreed = {"billed_terms": "rebill", "amount": amount}
        task.send("engagements", retainer({"overage": "hold"}, agreed, revision=revision))
    billed = dict.fromkeys(days, 0)
    for line in task.out["billing"]:
        if line["kind"] == "time":
            billed[line["entry_id"]] += sums.minor(line["amount"])

    assert billed == {"8": 100_00, "9": 0, "10": 100_00}
    sums.holds_end_once(task)


def test_held_overage_is_billed_when_the_policy_changes() -> None:
    """From hold to bill: what waited is billed; back again: it waits again."""
    task = sold(retainer({"overage": "hold"}))
    task.send("time-entries", work("1", "12"))
    task.send("engagements", retainer({"overage": "bill"}, revision=2))
    assert (money(task)["owed"], task.figures()["held"]) == ("1200.00", "0.00")

    task.send("engagements", retainer({"overage": "hold"}, revision=3))
    assert (money(task)["owed"], task.figures()["held"]) == ("1000.00", "200.00")


def test_held_overage_is_corrected_by_reversal() -> None:
    """A correction by difference would bill past the balance: it is reversed and billed anew."""
    task = sold(retainer({"overage": "hold"}, policies={"correction": "adjust"}))
    task.send("time-entries", work("1", "8"))
    task.send("time-entries", work("1", "12", revision=2))

    assert [(line["action"], line["amount"]) for line in task.out["billing"] if line["kind"] == "time"] == [
        ("charge", "800.00"), ("reversal", "-800.00"), ("charge", "1000.00"),
    ]  # fmt: skip
    assert (money(task)["owed"], task.figures()["held"]) == ("1000.00", "200.00")


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        pytest.param({"status": "deleted"}, "1000.00", id="withdrawn"),
        pytest.param({"status": "recalled"}, "1000.00", id="recalled"),
        pytest.param({"quantity": "2.5", "status": "approved"}, "750.00", id="corrected"),
        pytest.param({"billable": False, "status": "approved"}, "1000.00", id="not-billable"),
        pytest.param({"quantity": "15", "status": "approved"}, "0.00", id="more"),
    ],
)
def test_a_correction_gives_back_exactly(changes: Object, left: str) -> None:
    """What stands after a correction is what would stand had it been right from the start (M9)."""
    task, straight = sold(retainer()), sold(retainer())
    task.send("time-entries", work("1", "6"))
    task.send("time-entries", work("1", "6", revision=2, **changes))
    straight.send("time-entries", work("1", "6", revision=2, **changes))

    assert money(task) == money(straight)
    assert money(task)["left"] == left
    sums.ids_are_unique(task)


def test_a_new_rate_draws_the_difference() -> None:
    """A card that changes back in time prices the work anew, and the balance follows."""
    task = sold(retainer())
    task.send("time-entries", work("1", "6"))
    task.refer("rate-cards", rate_card(version=2, lines=[{"role": "analyst", "rate": "120"}]))

    assert lines(task, "drawdown") == [("drawdown", "-600.00"), ("drawdown", "-120.00")]
    assert money(task)["left"] == "280.00"


@pytest.mark.parametrize(("included", "left"), [(True, "900.00"), (False, "1000.00")])
def test_expenses_draw_where_they_are_included(included: bool, left: str) -> None:  # noqa: FBT001
    """Otherwise they are billed besides, as their terms say."""
    task = sold(retainer({"includes_expenses": included}))
    task.send("expenses", expense(status="approved", spent_on="2026-01-20"))

    assert money(task)["left"] == left


def test_the_balance_rolls_over() -> None:
    """What January leaves is there for February, and a late entry of January takes it away again."""
    task = sold(retainer(), 2)
    task.send("time-entries", work("1", "4"), work("2", "15", "2026-02-10"))
    assert money(task) == {"owed": "2000.00", "left": "100.00", "earned": "1900.00"}

    task.send("time-entries", work("3", "3"))

    assert money(task) == {"owed": "2200.00", "left": "0.00", "earned": "2200.00"}


def test_an_unused_balance_expires_into_revenue() -> None:
    """As February opens, what January left is earned; work of January that comes later takes it back."""
    task = sold(retainer({"unused": "expire"}))
    task.send("time-entries", work("1", "4"))
    opened(task, 2)
    assert [(e["method"], e["accounting_date"], e["amount"]) for e in task.out["revenue"]][1:] == [
        ("breakage", "2026-02-01", "600.00")
    ]
    assert money(task) == {"owed": "2000.00", "left": "1000.00", "earned": "1000.00"}

    task.send("time-entries", work("2", "5"))

    assert [e["amount"] for e in task.out["revenue"] if e["method"] == "breakage"] == ["600.00", "-500.00"]
    assert money(task) == {"owed": "2000.00", "left": "1000.00", "earned": "1000.00"}
    sums.journals_balance(task)


def test_what_expired_does_not_come_back_when_a_period_closes() -> None:
    """The term is over once the day after it has come, also when that period closes later."""
    task = sold(retainer({"unused": "expire"}))
    opened(task, 2)
    task.refer("periods", *(sent | {"revision": 3} for sent in months("closed", "closed", "open")))

    assert [e["amount"] for e in task.out["revenue"]] == ["1000.00", "1000.00"]


@pytest.mark.parametrize("hours", [("6",), ("10", "6")], ids=["6 hours", "10 hours, corrected to 6"])
def test_work_draws_while_the_end_of_its_term_waits(hours: tuple[str, ...]) -> None:
    """February is closed, so that the 400 of January expire when it opens; the 600 are drawn, whatever came first."""
    task = sold(retainer({"unused": "expire"}))
    task.refer("periods", *(month | {"revision": 2} for month in months("open", "closed")))
    for revision, quantity in enumerate(hours, start=1):
        task.send("time-entries", work("1", quantity, revision=revision))

    assert money(task) == {"owed": "1000.00", "left": "400.00", "earned": "600.00"}
    assert "period_closed" in [event["reason"] for event in task.out["exceptions"]]

    opened(task, 3)

    assert money(task) == {"owed": "3000.00", "left": "1000.00", "earned": "2000.00"}
    sums.journals_balance(task)


@pytest.mark.parametrize(
    ("drawdown", "owed", "earned"),
    [
        pytest.param({}, "2000.00", "700.00", id="kept"),
        pytest.param({"rest": "refund"}, "700.00", "700.00", id="refunded"),
        pytest.param({"rest": "expire"}, "2000.00", "2000.00", id="expired"),
        pytest.param({"unused": "refund"}, "700.00", "700.00", id="refunded-by-term"),
        pytest.param({"unused": "expire", "rest": "refund"}, "1400.00", "1400.00", id="expired-then-refunded"),
    ],
)
def test_the_rest_at_the_end_goes_by_policy(drawdown: Object, owed: str, earned: str) -> None:
    """Two months, 300 used in the first and 400 in the second: the day after the end decides over the rest."""
    task = sold(retainer(drawdown, end_date="2026-02-28"), 2)
    task.send("time-entries", work("1", "3"), work("2", "4", "2026-02-10"))
    opened(task, 3)

    assert money(task) | {"left": ""} == {"owed": owed, "left": "", "earned": earned}
    assert money(task)["left"] == ("0.00" if drawdown else "1300.00")
    sums.journals_balance(task)


def test_the_rest_waits_for_the_last_term() -> None:
    """In a period of decades later terms have yet to begin: what the fourteen that have begun leave is no rest."""
    task = Task()
    task.refer("periods", period(id="c", start_date="2026-01-01", end_date="2125-12-31"))
    task.send("engagements", retainer({"rest": "refund"}, end_date="2030-12-31"))

    assert money(task)["left"] == "14000.00"


def test_an_engagement_that_ends_earlier_gives_its_rest_back_earlier() -> None:
    """`rebill`: February is no term any more, its fee is reversed, and what January left is refunded."""
    fee = {"billed_terms": "rebill"}
    task = sold(retainer({"rest": "refund"}, fee, end_date="2026-02-28"), 2)
    task.send("time-entries", work("1", "3"))
    task.send("engagements", retainer({"rest": "refund"}, fee, end_date="2026-01-31", revision=2))

    assert money(task) == {"owed": "300.00", "left": "0.00", "earned": "300.00"}


def test_an_end_within_a_term_ends_the_balance() -> None:
    """A quarter that is cut short on 10 February: the rest goes back on the 11th, not in April."""
    task = sold(retainer({"rest": "refund"}, {"term": "quarter"}, end_date="2026-02-10"), 2)

    assert [(line["accounting_date"], line["amount"]) for line in task.out["billing"] if line["unit"] == "refund"] == [
        ("2026-02-11", "-1000.00")
    ]


def test_work_before_the_first_term_belongs_to_it() -> None:
    """Work of December, approved under an engagement from January on, draws on January's fee; February's expires whole."""
    task = Task()
    task.refer("resources", resource())
    task.refer("rate-cards", rate_card(effective_from="2025-01-01"))
    december = period(id="m0", start_date="2025-12-01", end_date="2025-12-31")
    task.refer("periods", december, *months("open", "open", "open"))
    task.send("engagements", retainer({"unused": "expire"}, end_date="2026-02-28"))
    task.send("time-entries", work("1", "12", "2025-12-20"), work("2", "3", "2026-02-10"))

    assert money(task) == {"owed": "2200.00", "left": "0.00", "earned": "2200.00"}


def test_work_of_a_term_that_has_not_begun_does_not_use_the_one_before() -> None:
    """The first half of February is closed, so that its fee waits: work of the second half is billed besides till then."""
    first = period(id="f1", start_date="2026-02-01", end_date="2026-02-14", status="closed")
    second = period(id="f2", start_date="2026-02-15", end_date="2026-02-28")
    task = Task()
    task.refer("resources", resource())
    task.refer("rate-cards", rate_card())
    task.refer("periods", *months("open"), first, second)
    task.send("engagements", retainer())
    task.send("time-entries", work("1", "4", "2026-02-20"))
    assert money(task) == {"owed": "1400.00", "left": "1000.00", "earned": "400.00"}

    task.refer("periods", first | {"revision": 2, "status": "open"})

    assert money(task) == {"owed": "2000.00", "left": "1600.00", "earned": "400.00"}


def test_a_correction_goes_where_the_term_was_last_moved() -> None:
    """Of a quarter January is closed by now: work of March that is withdrawn gives back in March, not in January (M6)."""
    task = sold(retainer(fee={"term": "quarter"}), 3)
    task.send("time-entries", work("1", "4"), work("2", "3", "2026-03-10"))
    task.refer("periods", *(sent | {"revision": 3} for sent in months("closed")))
    task.send("time-entries", work("2", "3", "2026-03-10", revision=2, status="deleted"))

    assert money(task)["left"] == "600.00"
    assert [line["accounting_date"] for line in task.out["billing"] if line["unit"] == "drawdown"] == [
        "2026-01-20", "2026-03-10", "2026-03-10",
    ]  # fmt: skip


def test_a_fixed_refill_comes_as_often_as_needed() -> None:
    """Below 300, another 500 is billed at once, twice if work needs it; less work takes it back."""
    task = sold(retainer({"refill": {"threshold": "300", "amount": "500"}}), 2)
    task.send("time-entries", work("1", "8"))
    assert (lines(task, "refill"), money(task)["left"]) == ([("refill", "500.00")], "700.00")

    task.send("time-entries", work("2", "10"))
    assert money(task) == {"owed": "2500.00", "left": "700.00", "earned": "1800.00"}

    task.send("time-entries", work("2", "10", revision=2, status="deleted"))
    assert money(task) == {"owed": "1500.00", "left": "700.00", "earned": "800.00"}


def test_a_refill_up_to_an_amount_comes_with_the_next_term() -> None:
    """February begins with 100 left, below 200: 900 fill it up to 1,000. January's overage stays billed."""
    task = sold(retainer({"refill": {"threshold": "200", "up_to": "1000"}}))
    task.send("time-entries", work("1", "9"))
    assert lines(task, "refill") == []

    opened(task, 2)

    assert lines(task, "refill", "term") == [("term", "1000.00"), ("refill", "900.00")]
    assert money(task)["left"] == "1000.00"


def test_drawdown_may_be_agreed_later_and_given_up() -> None:
    """Work that the fee covered is priced and drawn once the terms say so; without drawdown it is covered again."""
    fee = {"amount": "1000", "billed_terms": "rebill"}
    task = sold(engagement(contract_type="retainer", fee=fee))
    task.send("time-entries", work("1", "6"))
    assert (task.figures()["billed"], task.figures()["earned"]) == ("0.00", "1000.00")

    task.send("engagements", retainer(fee=fee, revision=2))
    assert money(task) == {"owed": "1000.00", "left": "400.00", "earned": "600.00"}

    task.send("engagements", engagement(contract_type="retainer", fee=fee, revision=3))
    figures = task.figures()
    assert (figures["billed"], figures["fees"], figures["earned"], figures["deferred"]) == (
        "0.00", "1000.00", "1000.00", "0.00",
    )  # fmt: skip
    sums.ids_are_unique(task)
    sums.figures_are_sums(task)


def test_time_and_materials_may_become_a_retainer() -> None:
    """Entries that are billed already draw on the balance from then on, though nothing of theirs changes."""
    task = sold(engagement())
    task.send("time-entries", work("1", "6"))
    task.send("engagements", retainer(revision=2))

    assert money(task) == {"owed": "1000.00", "left": "400.00", "earned": "600.00"}

    task.send("engagements", engagement(revision=3))

    assert (task.figures()["deferred"], task.figures()["billed"], task.figures()["fees"]) == (
        "1000.00", "600.00", "1000.00",
    )  # fmt: skip


def test_work_without_a_bill_for_its_term_waits_for_the_balance() -> None:
    """Entries before their engagement and before their term's fee draw as soon as it is billed (M9)."""
    task = Task()
    task.refer("resources", resource())
    task.refer("rate-cards", rate_card())
    task.refer("periods", *months("open"))
    task.send("time-entries", work("1", "6"))
    task.send("engagements", retainer())

    assert money(task) == {"owed": "1000.00", "left": "400.00", "earned": "600.00"}


def test_a_restored_task_knows_its_balance() -> None:
    """What is used and what moved are kept in the changelog."""
    task = sold(retainer())
    task.send("time-entries", work("1", "6"))
    task.restart()
    task.send("time-entries", work("1", "6", revision=2, status="deleted"), work("2", "1"))

    assert money(task) == {"owed": "1000.00", "left": "900.00", "earned": "100.00"}


def test_another_customer_takes_the_balance_over() -> None:
    """`rebill`: bill, drawdown and work are reversed for the one and posted for the other; each owes what is theirs."""
    fee = {"billed_terms": "rebill"}
    task = sold(retainer(fee=fee))
    task.send("time-entries", work("1", "12"))
    task.send("engagements", retainer(fee=fee, revision=2, customer_id="C2"))
    owed = {
        name: sum(sums.minor(line["amount"]) for line in task.out["billing"] if line["customer_id"] == name)
        for name in ("C1", "C2")
    }

    assert owed == {"C1": 0, "C2": 120_000}
