"""Subscriptions: a fee for each term, billed in advance or in arrears, earned day by day of the term."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ..builders import Task, engagement, expense, period, ready_task, resource, time_entry
from ..rules import sums

if TYPE_CHECKING:
    from ..builders import Object


def subscription(fee: Object | None = None, **changes: object) -> Object:
    """1,200 for the year 2026, in advance."""
    agreed = {"amount": "1200", "term": "year"} | (fee or {})
    return engagement(**{"contract_type": "subscription", "fee": agreed, "end_date": "2026-12-31", **changes})


def months(*statuses: str) -> list[Object]:
    """January 2026 and so on in these statuses."""
    starts = [dt.date(2026, month, 1) for month in range(1, 13)] + [dt.date(2027, 1, 1)]
    return [
        period(id=f"m{at}", start_date=str(start), end_date=str(starts[at] - dt.timedelta(days=1)), status=status)
        for at, (start, status) in enumerate(zip(starts, statuses, strict=False), start=1)
    ]


def sold(terms: Object, *periods: Object) -> Task:
    """A task with these periods and this engagement."""
    task = Task()
    task.refer("resources", resource())
    task.refer("periods", *periods)
    task.send("engagements", terms)
    return task


def revenue(task: Task) -> list[tuple[str, str]]:
    """Accounting date and amount of each revenue event."""
    return [(event["accounting_date"], event["amount"]) for event in task.out["revenue"]]


def test_a_fee_billed_in_advance_is_deferred_and_earned_as_periods_open() -> None:
    """The year is billed in January; each month that opens earns its days, and only those."""
    task = sold(subscription(), *months("open", "open", "future"))

    assert [(bill["accounting_date"], bill["amount"], bill["contract_type"]) for bill in task.out["billing"]] == [
        ("2026-01-01", "1200.00", "subscription")
    ]
    assert revenue(task) == [("2026-01-31", "101.92"), ("2026-02-28", "92.05")]
    assert (task.figures()["deferred"], task.figures()["contract_liability"]) == ("1006.03", "1006.03")

    task.refer("periods", *(month | {"revision": 2} for month in months("open", "open", "open")[2:]))

    assert revenue(task)[2:] == [("2026-03-31", "101.92")]
    assert (task.figures()["fees"], task.figures()["earned"]) == ("1200.00", "295.89")


def test_journals_defer_and_release() -> None:
    """Receivable against deferred revenue at billing, deferred revenue against revenue as days pass (M3)."""
    task = sold(subscription(), *months("open", "future"))
    deferral, earned = task.out["accruals"][0], task.out["revenue"][0]
    sums.journals_balance(task)

    assert [(line["account"], line["side"]) for line in deferral["lines"]] == [
        ("unbilled_receivable", "debit"),
        ("deferred_revenue", "credit"),
    ]
    assert (deferral["kind"], deferral["id"]) == ("deferral", "crm:fee:E1:2026-01-01:deferral:0")
    assert [(line["account"], line["side"]) for line in earned["lines"]] == [
        ("deferred_revenue", "debit"),
        ("revenue", "credit"),
    ]
    assert [(step["step"], step["value"]) for step in earned["trace"]] == [
        ("fee", "1200.00"),
        ("days", "31/365"),
        ("earned_before", "0.00"),
    ]


def test_in_arrears_revenue_comes_before_the_bill() -> None:
    """Days are earned into the contract asset; the bill at the end of the quarter moves it to the receivable."""
    terms = subscription({"amount": "900", "term": "quarter", "billed": "arrears"}, end_date="2026-03-31")
    task = sold(terms, *months("open", "open", "future"))

    assert (task.out["billing"], task.figures()["contract_asset"], task.figures()["deferred"]) == ([], "590.00", "0.00")

    task.refer("periods", *(month | {"revision": 2} for month in months("open", "open", "open")[2:]))

    assert [(bill["accounting_date"], bill["amount"]) for bill in task.out["billing"]] == [("2026-03-31", "900.00")]
    assert {line["account"] for event in task.out["accruals"] for line in event["lines"]} == {
        "unbilled_receivable",
        "contract_asset",
    }
    assert (task.figures()["contract_asset"], task.figures()["earned"]) == ("0.00", "900.00")


def test_time_is_cost_only_and_expenses_follow_their_terms() -> None:
    """A subscription covers the work; what the expense terms bill is billed besides."""
    task = ready_task(subscription())
    task.clear()
    task.send("time-entries", time_entry(status="approved"))
    task.send("expenses", expense(id="2", status="approved"))

    assert [(bill["kind"], bill["amount"]) for bill in task.out["billing"]] == [("expense", "100.00")]
    assert task.figures()["cost"] == "500.00"


def test_a_closed_month_is_told_and_earned_when_it_opens() -> None:
    """Revenue of a closed month waits; users hear of it, and the total is right afterwards."""
    task = sold(subscription(), *months("open", "closed", "open"))

    assert revenue(task) == [("2026-01-31", "101.92")]
    assert [(e["action"], e["reason"]) for e in task.out["exceptions"]] == [("held", "period_closed")]

    task.refer("periods", *(month | {"revision": 2} for month in months("open", "open")[1:]))

    assert revenue(task)[1:] == [("2026-02-28", "92.05"), ("2026-03-31", "101.92")]
    assert [e["action"] for e in task.out["exceptions"]] == ["held", "released"]


def test_a_period_that_is_too_long_is_told_with_the_fix() -> None:
    """Someone opens a century: a year and a bit is billed, the rest waits for shorter periods."""
    century = period(id="c", start_date="2026-01-01", end_date="2125-12-31")
    task = sold(subscription({"term": "month", "amount": "10"}, end_date=None), century)
    (held,) = task.out["exceptions"]

    assert (held["reason"], held["waits_on"], len(task.out["billing"])) == ("period_too_long", "period:DE", 14)
    assert "send periods of a year or less" in held["message"]


def test_a_term_that_has_begun_keeps_its_fee() -> None:
    """By default a new fee counts from the next term on, however far back the terms say they hold."""
    task = sold(subscription({"term": "month", "amount": "100"}), *months("open", "open", "future"))
    task.clear()
    task.send("engagements", subscription({"term": "month", "amount": "150"}, revision=2))

    assert (task.out["billing"], task.out["revenue"]) == ([], [])


def test_billed_terms_may_be_billed_anew() -> None:
    """`rebill`: the bill is reversed as it was and billed at the new fee; what is earned already catches up at once."""
    fee = {"term": "month", "amount": "100", "billed_terms": "rebill"}
    task = sold(subscription(fee), *months("open", "future"))
    task.clear()
    task.send("engagements", subscription({**fee, "amount": "150"}, revision=2))

    assert [(bill["id"], bill["action"], bill["amount"]) for bill in task.out["billing"]] == [
        ("crm:fee:E1:2026-01-01:billing:0:reversal", "reversal", "-100.00"),
        ("crm:fee:E1:2026-01-01:billing:1", "charge", "150.00"),
    ]
    assert revenue(task) == [("2026-01-31", "50.00")]
    assert (task.figures()["fees"], task.figures()["earned"], task.figures()["deferred"]) == (
        "150.00",
        "150.00",
        "0.00",
    )


def test_a_subscription_that_ends_earlier_gives_the_later_terms_back() -> None:
    """`rebill`: a term the engagement's new end leaves out is reversed, and so is what was earned of it."""
    fee = {"term": "month", "amount": "100", "billed_terms": "rebill"}
    task = sold(subscription(fee), *months("open", "open", "open", "future"))
    task.send("engagements", subscription(fee, revision=2, end_date="2026-02-28"))

    assert (task.figures()["fees"], task.figures()["earned"], task.figures()["deferred"]) == (
        "200.00",
        "200.00",
        "0.00",
    )


def test_a_fee_moves_to_other_books_whole() -> None:
    """`rebill`: another legal entity takes over the bill and each month that is earned; the first one's come to zero."""
    fee = {"billed_terms": "rebill"}
    task = sold(subscription(fee), *months("open", "open", "future"))
    task.refer("periods", *(month | {"legal_entity_id": "AT"} for month in months("open", "open", "future")))
    task.send("engagements", subscription(fee, revision=2, legal_entity_id="AT"))
    booked = {
        entity: [(e["accounting_date"], e["amount"]) for e in task.out["revenue"] if e["legal_entity_id"] == entity]
        for entity in ("DE", "AT")
    }

    assert booked == {
        "DE": [("2026-01-31", "101.92"), ("2026-02-28", "92.05"), ("2026-02-28", "-193.97")],
        "AT": [("2026-01-31", "101.92"), ("2026-02-28", "92.05")],
    }
    assert [(bill["legal_entity_id"], bill["amount"]) for bill in task.out["billing"]] == [
        ("DE", "1200.00"), ("DE", "-1200.00"), ("AT", "1200.00"),
    ]  # fmt: skip
    sums.ids_are_unique(task)


def test_a_retainer_may_bill_its_terms_anew_too() -> None:
    """`rebill` on a retainer reverses bill and revenue together, also after it billed terms that stand for ever."""
    task = sold(engagement(contract_type="retainer", fee={"amount": "100"}), *months("open", "future"))
    fee = {"amount": "120", "billed_terms": "rebill"}
    task.send("engagements", engagement(contract_type="retainer", fee=fee, revision=2))
    task.refer("periods", *(month | {"revision": 2} for month in months("open", "open")[1:]))
    task.send("engagements", engagement(contract_type="retainer", fee=fee | {"amount": "130"}, revision=3))
    sums.ids_are_unique(task)

    assert task.amounts() == ["100.00", "120.00", "-120.00", "130.00"]
    assert (task.figures()["fees"], task.figures()["earned"]) == ("230.00", "230.00")


def test_a_restored_task_goes_on_where_it_was() -> None:
    """What is deferred and earned of a term is kept in the changelog."""
    task = sold(subscription(), *months("open", "future"))
    task.restart()
    task.refer("periods", *(month | {"revision": 2} for month in months("open", "open")[1:]))

    assert revenue(task) == [("2026-01-31", "101.92"), ("2026-02-28", "92.05")]


def test_another_rounding_earns_the_days_anew() -> None:
    """`rebill`: half a cent of a month goes up or down as the terms say now."""
    fee = {"amount": "0.05", "billed_terms": "rebill", "term": "quarter"}
    task = sold(subscription(fee), *months("open", "future"))
    task.send("engagements", subscription(fee, revision=2, policies={"rounding": "down"}))

    assert revenue(task) == [("2026-01-31", "0.02"), ("2026-01-31", "-0.01")]


def test_a_month_that_earns_nothing_has_to_come_all_the_same() -> None:
    """Two cents a year: July to September add nothing, but have not come; a fee given up in June is taken back in June."""
    fee = {"amount": "0.02", "billed_terms": "rebill"}
    task = sold(subscription(fee), *months(*["open"] * 6, "future"))
    assert task.figures()["earned"] == "0.01"

    task.send("engagements", subscription(fee | {"amount": "0"}, revision=2))

    assert task.figures()["earned"] == "0.00"


def test_a_term_that_comes_back_goes_on_with_its_numbers() -> None:
    """March is cancelled under `rebill` and agreed again under `keep`: its second bill has an id of its own (M4)."""
    fee = {"amount": "100", "term": "month", "billed_terms": "rebill"}
    agreed = {"contract_type": "retainer", "start_date": "2026-01-01"}
    task = sold(engagement(fee=fee, **agreed), *months("open", "open", "open"))
    task.send("engagements", engagement(revision=2, fee=fee, end_date="2026-02-28", **agreed))
    task.send("engagements", engagement(revision=3, fee=fee | {"billed_terms": "keep"}, **agreed))
    sums.ids_are_unique(task)

    assert [bill["id"] for bill in task.out["billing"]][-2:] == [
        "crm:fee:E1:2026-03-01:billing:0:reversal",
        "crm:fee:E1:2026-03-01:billing:1",
    ]
    assert task.figures()["fees"] == "300.00"


fees = st.fixed_dictionaries(
    {
        "amount": st.sampled_from(["0", "0.05", "100", "99.99", "1234.57"]),
        "term": st.sampled_from(["month", "quarter", "year"]),
        "billed": st.sampled_from(["advance", "arrears"]),
        "billed_terms": st.just("rebill"),
    }
)
terms_of_any_kind = st.fixed_dictionaries(
    {
        "fee": fees,
        "start_date": st.sampled_from(["2026-01-01", "2026-01-31", "2026-03-15"]),
        "contract_type": st.sampled_from(["subscription", "subscription", "retainer"]),
        "legal_entity_id": st.sampled_from(["DE", "DE", "AT"]),
        "policies": st.sampled_from([{"rounding": mode} for mode in ("half_up", "half_even", "up", "down")]),
    },
    optional={"end_date": st.sampled_from(["2026-06-30", "2026-11-15"])},
)
both = [*months(*["open"] * 12), *(month | {"legal_entity_id": "AT"} for month in months(*["open"] * 12))]


@given(st.lists(terms_of_any_kind, min_size=1, max_size=4), st.randoms(use_true_random=False), st.integers(0, 4))
def test_any_order_gives_the_same_fees(agreed: list[Object], chance: object, restart_every: int) -> None:
    """Under `rebill` whatever terms and periods came when, the last terms alone say what is billed and earned (M9)."""
    revisions = [engagement(revision=at, **changes) for at, changes in enumerate(agreed, 1)]
    steps = [("engagements", sent) for sent in revisions] + [("periods", sent) for sent in both]
    chance.shuffle(steps)  # type: ignore[attr-defined]
    task = Task()
    for count, (stream, sent) in enumerate(steps, 1):
        task.refer(stream, sent) if stream == "periods" else task.send(stream, sent)
        if restart_every and count % restart_every == 0:
            task.restart()
        if "E1" in {figures["engagement_id"] for figures in task.out["engagement-figures"]}:
            sums.figures_are_sums(task)
    alone = sold(revisions[-1], *both)
    sums.ids_are_unique(task)
    sums.journals_balance(task)

    assert {name: task.figures()[name] for name in ("fees", "earned", "deferred")} == {
        name: alone.figures()[name] for name in ("fees", "earned", "deferred")
    }


@given(
    st.lists(terms_of_any_kind, min_size=2, max_size=5),
    st.lists(st.sampled_from(["keep", "rebill"]), min_size=5, max_size=5),
)
def test_no_number_is_used_twice(agreed: list[Object], kept: list[str]) -> None:
    """Whether billed terms are kept or billed anew, in whatever order that changes, ids are new and sums are sums (M4)."""
    task = sold(engagement(**agreed[0]), *both)
    for revision, (changes, billed_terms) in enumerate(zip(agreed, kept, strict=False), 2):
        fee = changes["fee"] | {"billed_terms": billed_terms}
        task.send("engagements", engagement(revision=revision, **changes | {"fee": fee}))
        sums.figures_are_sums(task)
    sums.ids_are_unique(task)
    sums.journals_balance(task)
