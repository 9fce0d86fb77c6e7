"""Split funding: several customers pay for one engagement, each in lines of its own, and together exactly the bill."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.agents.rules.funding import FundingPlan, funding_of
from billtide.codecs.errors import UndecodableError

from ..builders import Object, Task, capped, engagement, expense, period, ready_task, time_entry, year
from .builders import terms
from .histories import History, Step, caps, chances, fixed_fees, histories, play, time_and_materials
from .sums import minor
from .test_invariants import always_true, figures, money_is_right

LAW = settings(max_examples=80)


def by_percent(*percents: str, rest: str = "C1") -> Object:
    """Customers C1, C2, … by percent."""
    customers = [{"customer_id": f"C{at}", "percent": percent} for at, percent in enumerate(percents, start=1)]
    return {"customers": customers, "rounding_customer_id": rest}


def in_order(*tops: str) -> Object:
    """Customers C1, C2, … up to their amounts, and one more who pays what is left."""
    customers = [{"customer_id": f"C{at}", "up_to": top} for at, top in enumerate(tops, start=1)]
    return {"customers": [*customers, {"customer_id": f"C{len(tops) + 1}"}]}


def plan(funding: Object) -> FundingPlan:
    """Funding as the rules read it."""
    read = funding_of(terms(funding=funding))
    assert read is not None
    return read


def shares(funding: Object, amount: int, funded: dict[str, int] | None = None) -> dict[str, int]:
    """Minor units of each customer."""
    return {share.customer_id: share.amount for share in plan(funding).split(amount, funded or {})}


def lines(task: Task) -> list[tuple[str, str, str]]:
    """What each billing line did, for whom, and how much."""
    return [(line["action"], line["customer_id"], line["amount"]) for line in task.out["billing"]]


def billed(task: Task) -> dict[str, int]:
    """What each customer is billed in all."""
    sums: Counter[str] = Counter()
    for line in task.out["billing"]:
        sums[line["customer_id"]] += minor(line["amount"])
    return {name: amount for name, amount in sums.items() if amount}


def approved(at: int, hours: str, **changes: object) -> Object:
    """An approved entry at 100 an hour."""
    return time_entry(**{"id": str(at), "status": "approved", "quantity": hours, **changes})


@pytest.mark.parametrize(
    ("percents", "rest", "amount", "expected"),
    [
        pytest.param(("60", "40"), "C1", 80_000, {"C1": 48_000, "C2": 32_000}, id="even"),
        pytest.param(("33.33", "33.33", "33.34"), "C3", 10_000, {"C1": 3333, "C2": 3333, "C3": 3334}, id="thirds"),
        pytest.param(("33.3333", "33.3333", "33.3334"), "C2", 100, {"C1": 33, "C2": 34, "C3": 33}, id="rest-in-the-middle"),
        pytest.param(("50", "50"), "C2", 1, {"C2": 1}, id="a-cent-is-the-rest"),
        pytest.param(("25", "25", "25", "25"), "C1", 2, {"C1": 2}, id="no-share-below-zero"),
        pytest.param(("50", "50"), "C1", -101, {"C1": -51, "C2": -50}, id="credit"),
        pytest.param(("50", "50"), "C1", 0, {"C1": 0}, id="nothing"),
        pytest.param(("0.0001", "99.9999"), "C2", 10**12, {"C1": 1_000_000, "C2": 999_999_000_000}, id="smallest-percent"),
        pytest.param(("100",), "C1", 5, {"C1": 5}, id="one-pays-all"),
    ],
)  # fmt: skip
def test_a_bill_is_split_by_percent(
    percents: tuple[str, ...], rest: str, amount: int, expected: dict[str, int]
) -> None:
    """Every share is rounded down, the rounding customer pays the rest, and who pays nothing has no share."""
    assert shares(by_percent(*percents, rest=rest), amount) == expected


@pytest.mark.parametrize(
    ("amount", "funded", "expected"),
    [
        pytest.param(100, {}, {"C1": 100}, id="the-first-has-room"),
        pytest.param(400, {}, {"C1": 300, "C2": 100}, id="the-next-goes-on"),
        pytest.param(999, {"C1": 250}, {"C1": 50, "C2": 200, "C3": 749}, id="the-last-pays-what-is-left"),
        pytest.param(10, {"C1": 400}, {"C2": 10}, id="more-than-full"),
        pytest.param(-50, {"C1": 300, "C2": 20}, {"C1": -30, "C2": -20}, id="a-credit-from-the-last"),
        pytest.param(
            -250, {"C1": 300, "C2": 200, "C3": 30}, {"C1": -20, "C2": -200, "C3": -30}, id="a-credit-over-all"
        ),
        pytest.param(-50, {"C1": 300, "C2": 200, "C3": 30}, {"C2": -20, "C3": -30}, id="a-credit-over-two"),
        pytest.param(-50, {}, {"C1": -50}, id="a-credit-of-nothing-billed"),
        pytest.param(0, {"C1": 300}, {"C1": 0}, id="nothing"),
    ],
)
def test_a_bill_is_split_in_order(amount: int, funded: dict[str, int], expected: dict[str, int]) -> None:
    """The first pays up to 3.00, the second up to 2.00, the third what is left; a credit is given the other way round."""
    assert shares(in_order("3", "2"), amount, funded) == expected


@pytest.mark.parametrize(
    ("funding", "field"),
    [
        pytest.param(by_percent("60", "39.9999"), "$.funding.customers", id="less-than-100"),
        pytest.param(by_percent("60", "40.0001"), "$.funding.customers", id="more-than-100"),
        pytest.param(by_percent("120", "-20"), "$.funding.customers[1].percent", id="below-zero"),
        pytest.param(by_percent("100", "0"), "$.funding.customers[1].percent", id="pays-nothing"),
        pytest.param(by_percent("60", "40", rest="C9"), "$.funding.rounding_customer_id", id="rest-to-a-stranger"),
        pytest.param({"customers": [{"customer_id": "C8", "percent": "100"}]}, "$.funding.rounding_customer_id", id="no-rest"),
        pytest.param({"customers": [{"customer_id": "C1", "percent": "50"}] * 2}, "$.funding.customers[1].customer_id", id="twice"),
        pytest.param({"customers": [{"customer_id": "C1", "percent": "50", "up_to": "5"}]}, "$.funding.customers[0]", id="both"),
        pytest.param({"customers": [{"customer_id": "C1", "percent": "100"}, {"customer_id": "C2"}]}, "$.funding.customers[1].percent", id="mixed"),
        pytest.param({"customers": [{"customer_id": "C1", "up_to": "100"}]}, "$.funding.customers[0].up_to", id="nobody-pays-the-rest"),
        pytest.param({"customers": [{"customer_id": "C1"}, {"customer_id": "C2"}]}, "$.funding.customers[0].up_to", id="two-pay-the-rest"),
        pytest.param(in_order("0"), "$.funding.customers[0].up_to", id="up-to-nothing"),
    ],
)  # fmt: skip
def test_funding_that_does_not_add_up_is_refused(funding: Object, field: str) -> None:
    """The error names the field."""
    with pytest.raises(UndecodableError) as refused:
        funding_of(terms(funding=funding))

    assert refused.value.field == field


@pytest.mark.parametrize("kind", ["fixed_fee", "retainer", "subscription"])
def test_fees_are_not_funded_in_order(kind: str) -> None:
    """Their bills do not move when room appears, so that only percentages are taken."""
    with pytest.raises(UndecodableError, match="funded in order"):
        funding_of(terms(contract_type=kind, fee={"amount": "9", "estimated_cost": "5"}, funding=in_order("5")))


def test_a_prepaid_balance_is_not_split() -> None:
    """What work draws on it would belong to nobody's share."""
    with pytest.raises(UndecodableError, match="prepaid balance") as refused:
        funding_of(terms(contract_type="retainer", fee={"amount": "9", "drawdown": {}}, funding=by_percent("60", "40")))

    assert refused.value.field == "$.funding"


def test_rounding_by_invoice_is_not_split() -> None:
    """Each customer's invoice would have an exact sum of its own."""
    with pytest.raises(UndecodableError, match="rounding by invoice") as refused:
        funding_of(terms(policies={"rounding_place": "invoice"}, funding=by_percent("60", "40")))

    assert refused.value.field == "$.funding"


def test_each_customer_gets_a_line_of_the_bill() -> None:
    """800.00 as 480.00 and 320.00: ids of the cause with a number, the whole in part_of, the share in the trace."""
    task = ready_task(engagement(funding=by_percent("60", "40")))
    task.send("time-entries", approved(1, "8"))
    first, second = task.out["billing"]

    assert lines(task) == [("charge", "C1", "480.00"), ("charge", "C2", "320.00")]
    assert [line["id"] for line in (first, second)] == ["psa:time:1:1:billing:0:1", "psa:time:1:1:billing:0:2"]
    assert {(line["quantity"], line["rate"], line["part_of"]) for line in (first, second)} == {("8", "100", "800.00")}
    assert [(line["trace"][-1]["step"], line["trace"][-1]["value"], line["trace"][-1]["source"]) for line in (first, second)] == [
        ("funding", "480.00 EUR", "terms of E1 revision 1: C1 pays the rest of 800.00"),
        ("funding", "320.00 EUR", "terms of E1 revision 1: C2 pays 40 %, rounded down, of 800.00"),
    ]  # fmt: skip
    assert task.amounts("revenue") == ["800.00"]
    assert (task.figures()["billed"], task.figures()["funded"]) == ("800.00", {"C1": "480.00", "C2": "320.00"})


def test_a_correction_reverses_each_line_with_its_own_split() -> None:
    """Also when the split has changed since: the reversal names the line and copies customer and share."""
    task = ready_task(engagement(funding=by_percent("60", "40")))
    task.send("time-entries", approved(1, "8"))
    charged = task.out["billing"].copy()
    task.restart()
    task.clear()
    task.send("engagements", engagement(revision=2, funding=by_percent("50", "30", "20")))
    back, new = task.out["billing"][:2], task.out["billing"][2:]

    assert [(line["id"], line["customer_id"], line["amount"], line["part_of"]) for line in back] == [
        (f"{line['id']}:reversal", line["customer_id"], f"-{line['amount']}", "-800.00") for line in charged
    ]
    assert [line["reverses"] for line in back] == [line["id"] for line in charged]
    assert [(line["id"], line["amount"]) for line in new] == [
        ("psa:time:1:1:billing:1:1", "400.00"),
        ("psa:time:1:1:billing:1:2", "240.00"),
        ("psa:time:1:1:billing:1:3", "160.00"),
    ]
    assert task.figures()["funded"] == {"C1": "400.00", "C2": "240.00", "C3": "160.00"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(None, by_percent("50", "50"), {"C1": 40_000, "C2": 40_000}, id="one-becomes-two"),
        pytest.param(by_percent("50", "50"), None, {"C1": 80_000}, id="two-become-one"),
        pytest.param(by_percent("50", "50"), in_order("300"), {"C1": 30_000, "C2": 50_000}, id="percent-to-order"),
        pytest.param(in_order("300"), by_percent("50", "50"), {"C1": 40_000, "C2": 40_000}, id="order-to-percent"),
        pytest.param(in_order("300"), in_order("500"), {"C1": 50_000, "C2": 30_000}, id="more-room"),
        pytest.param(in_order("300"), in_order("100"), {"C1": 10_000, "C2": 70_000}, id="less-room"),
        pytest.param(
            in_order("300"), in_order("300", "200"), {"C1": 30_000, "C2": 20_000, "C3": 30_000}, id="one-more"
        ),
    ],
)
@pytest.mark.parametrize("correction", ["reverse_and_rebill", "adjust"])
def test_a_split_that_changes_back_in_time_is_billed_anew(
    before: Object | None, after: Object | None, expected: dict[str, int], correction: str
) -> None:
    """Every customer ends with the share of the latest terms, and the whole stays what it was."""
    policies = {"policies": {"correction": correction}}
    task = ready_task(engagement(funding=before, **policies))
    task.send("time-entries", approved(1, "3"), approved(2, "5"))
    task.send("engagements", engagement(revision=2, funding=after, **policies))

    assert billed(task) == expected
    assert task.figures()["billed"] == "800.00"


def test_terms_with_the_same_split_bill_nothing_anew() -> None:
    """A new revision that says the same leaves every line alone."""
    task = ready_task(engagement(funding=by_percent("60", "40")))
    task.send("time-entries", approved(1, "8"))
    task.clear()
    task.send("engagements", engagement(revision=2, funding=by_percent("60", "40", rest="C2"), discount_percent="0"))

    assert lines(task) == []


def test_a_split_bill_is_corrected_whole_under_every_policy() -> None:
    """Under `adjust` too: a difference names one line, and there are several."""
    task = ready_task(engagement(funding=by_percent("60", "40"), policies={"correction": "adjust"}))
    task.send("time-entries", approved(1, "8"))
    task.send("time-entries", approved(1, "6", revision=2))

    assert [action for action, _, _ in lines(task)] == ["charge", "charge", "reversal", "reversal", "charge", "charge"]
    assert billed(task) == {"C1": 36_000, "C2": 24_000}


def test_one_customer_at_another_rate_is_billed_anew_not_adjusted() -> None:
    """A difference cannot name a charge that was two lines."""
    terms = {"policies": {"correction": "adjust"}}
    task = ready_task(engagement(funding=by_percent("60", "40"), **terms))
    task.send("time-entries", approved(1, "8"))
    task.send("engagements", engagement(revision=2, rates=[{"rate": "90"}], **terms))

    assert [action for action, _, _ in lines(task)] == ["charge", "charge", "reversal", "reversal", "charge"]
    assert billed(task) == {"C1": 72_000}


def test_a_cap_counts_the_whole_bill() -> None:
    """A cap of 1,000.00 takes 800.00 and 200.00 whole; each part is split by itself."""
    task = ready_task(capped("1000", funding=by_percent("33.33", "66.67", rest="C2")))
    task.send("time-entries", approved(1, "8"), approved(2, "8"))

    assert [line["amount"] for line in task.out["billing"]] == ["266.64", "533.36", "66.66", "133.34"]
    assert {line["part_of"] for line in task.out["billing"]} == {"800.00"}
    assert [task.figures()[name] for name in ("billed", "held")] == ["1000.00", "600.00"]


def test_room_of_an_earlier_customer_takes_bills_of_later_ones() -> None:
    """In order up to 300: the bill that filled it is withdrawn, and what the second customer paid moves to the first."""
    task = ready_task(engagement(funding=in_order("300")))
    task.send("time-entries", approved(1, "3"), approved(2, "2"), approved(3, "4"))
    assert billed(task) == {"C1": 30_000, "C2": 60_000}
    task.restart()
    task.send("time-entries", approved(1, "3", revision=2, status="recalled"))

    assert billed(task) == {"C1": 30_000, "C2": 30_000}
    assert task.figures()["funded"] == {"C1": "300.00", "C2": "300.00"}


def test_a_refund_taken_back_leaves_no_customer_above_its_amount() -> None:
    """In order up to 100: a refund of 60 gave room for 60 more, which move to the second customer without it."""
    task = ready_task(engagement(funding=in_order("100")))
    for at, amount in enumerate(("-60", "100", "100")):
        task.send("expenses", expense(id=str(at), amount=amount, status="approved"))
    assert billed(task) == {"C1": 10_000, "C2": 4_000}
    task.send("expenses", expense(id="0", amount="-60", status="deleted", revision=2))

    assert billed(task) == {"C1": 10_000, "C2": 10_000}


def test_a_refund_follows_the_bills_that_move() -> None:
    """In order up to 100: a bill that moves to the first customer takes a refund along that was split before it."""
    task = ready_task(engagement(funding=in_order("100")))
    for name, amount in (("4", "30"), ("1", "100"), ("3", "70"), ("0", "-60"), ("2", "30"), ("5", "70")):
        task.send("expenses", expense(id=name, amount=amount, status="approved"))
    for name, amount in (("3", "70"), ("1", "100")):
        task.send("expenses", expense(id=name, amount=amount, status="deleted", revision=2))

    assert billed(task) == {"C1": 7_000}


def test_a_bill_in_a_closed_period_moves_when_it_opens() -> None:
    """What should move and cannot be reversed yet is held with its reason, and moves once."""
    task = ready_task(engagement(funding=in_order("300")))
    task.send("time-entries", approved(1, "3", work_date="2026-12-01"), approved(2, "2"))
    task.refer("periods", year(revision=2, end_date="2026-11-30", status="closed"))
    task.refer("periods", period(id="2026-12", start_date="2026-12-01", end_date="2026-12-31"))
    task.send("time-entries", approved(1, "3", revision=2, status="deleted", work_date="2026-12-01"))
    assert (billed(task), task.figures()["held_entries"]) == ({"C2": 20_000}, {"period_closed": 1})
    task.refer("periods", year(revision=3, end_date="2026-11-30"))

    assert (billed(task), task.figures()["held_entries"]) == ({"C1": 20_000}, {})


def test_a_milestone_is_split_and_taken_back_by_line() -> None:
    """A milestone of 1,000.00 not reached after all: each customer's line is reversed."""

    def fee(reached: str | None, **changes: object) -> Object:
        milestones = [{"id": "M1", "amount": "1000", "reached_on": reached}]
        return engagement(
            contract_type="fixed_fee",
            fee={"amount": "1000", "estimated_cost": "700", "milestones": milestones},
            **{"funding": by_percent("60", "40"), **changes},
        )

    task = ready_task(fee("2026-11-20"))
    task.send("engagements", fee("2026-11-20", revision=2, funding=by_percent("70", "30")))
    task.send("engagements", fee(None, revision=3))

    assert lines(task) == [
        ("reversal", "C1", "-600.00"), ("reversal", "C2", "-400.00"), ("charge", "C1", "700.00"), ("charge", "C2", "300.00"),
        ("reversal", "C1", "-700.00"), ("reversal", "C2", "-300.00"),
    ]  # fmt: skip
    assert task.figures()["fees"] == "0.00"
    assert "funded" not in task.figures()


def test_a_retainer_fee_is_split() -> None:
    """One term of 1,000.00 is a line for each customer; the revenue stays one event."""
    task = Task()
    task.refer("periods", period())
    task.send(
        "engagements",
        engagement(
            contract_type="retainer", start_date="2026-11-01", fee={"amount": "1000"}, funding=by_percent("60", "40")
        ),
    )

    assert lines(task) == [("charge", "C1", "600.00"), ("charge", "C2", "400.00")]
    assert [line["id"] for line in task.out["billing"]] == [
        "crm:fee:E1:2026-11-01:billing:0:1",
        "crm:fee:E1:2026-11-01:billing:0:2",
    ]
    assert (task.amounts("revenue"), task.figures()["fees"]) == (["1000.00"], "1000.00")


@pytest.mark.parametrize("kind", ["retainer", "subscription"])
def test_a_term_that_is_billed_anew_is_split_anew(kind: str) -> None:
    """`rebill`: the split changes back in time, each line is reversed as it was, what is deferred stays whole."""

    def fee(revision: int, *percents: str) -> Object:
        return engagement(
            revision=revision, contract_type=kind, start_date="2026-11-01", end_date="2026-11-30",
            fee={"amount": "1000", "billed_terms": "rebill"}, funding=by_percent(*percents),
        )  # fmt: skip

    task = Task()
    task.refer("periods", period())
    for revision, percents in enumerate((("60", "40"), ("60", "40"), ("50", "30", "20")), start=1):
        task.send("engagements", fee(revision, *percents))
        task.restart()

    assert lines(task) == [
        ("charge", "C1", "600.00"), ("charge", "C2", "400.00"), ("reversal", "C1", "-600.00"), ("reversal", "C2", "-400.00"),
        ("charge", "C1", "500.00"), ("charge", "C2", "300.00"), ("charge", "C3", "200.00"),
    ]  # fmt: skip
    assert {line.get("part_of") for line in task.out["billing"]} == {"1000.00", "-1000.00"}
    assert task.figures()["funded"] == {"C1": "500.00", "C2": "300.00", "C3": "200.00"}
    assert task.figures()["fees"] == "1000.00"


splits = st.sampled_from([by_percent("60", "40"), by_percent("33.3333", "33.3333", "33.3334", rest="C2"), None])
orders = st.sampled_from([in_order("100"), in_order("33.33", "500"), in_order("1000", "0.01", "99")])


def shared(history: History, *fundings: Object | None) -> History:
    """The same history, its terms funded so, one revision after the other."""
    revisions = [{**history.terms, "revision": at, "funding": funding} for at, funding in enumerate(fundings, start=1)]
    return History(revisions[-1], {**history.streams, "engagements": revisions})


def shares_are_right(task: Task, steps: list[Step]) -> None:
    """Lines of one bill sum to it, and the customers' figures are the sums of their lines."""
    always_true(task, steps)
    state = task.state.engagements.get(task.state.engagements.key("E1"))
    if state is not None:
        alone = {} if state.terms is None or state.terms.funding is not None else {"C1": state.billed + state.fees}
        assert (state.funded or {k: v for k, v in alone.items() if v}) == billed(task)


@LAW
@given(histories(time_and_materials | caps | fixed_fees), splits, splits, chances, st.integers(0, 4))
def test_any_history_is_billed_to_the_customers_of_its_terms(
    history: History, before: Object | None, after: Object | None, chance: Random, restart_every: int
) -> None:
    """Whatever is corrected in whatever order: each customer's lines sum to its figure, all of them to the bill (M1, M4, M9)."""
    funded = shared(history, before, after)
    money_is_right(play(funded.interleaved(chance), shares_are_right, restart_every), funded)


@LAW
@given(histories(time_and_materials | caps), orders, orders, chances, chances)
def test_customers_in_order_are_billed_in_order_whatever_came_first(
    history: History, before: Object, after: Object, chance: Random, other: Random
) -> None:
    """The customers' sums are those of the whole bill poured in order (M9)."""
    funded = shared(history, before, after)
    one, two = play(funded.interleaved(chance), shares_are_right), play(funded.interleaved(other))
    money_is_right(one, funded)

    assert billed(one) == billed(two)
    assert billed(one) == {name: share for name, share in shares(after, figures(one)["billed"]).items() if share}


refunds = st.lists(st.sampled_from(["100", "100", "40", "30", "-60", "-150", "-40", "0.01"]), max_size=8)


@settings(LAW, max_examples=200)
@given(refunds, orders, chances)
def test_refunds_keep_the_order_too(amounts: list[str], order: Object, chance: Random) -> None:
    """Refunds among the bills, some withdrawn again: the customers' sums are those of the whole bill poured in order."""
    task = ready_task(engagement(funding=order))
    names = chance.sample(range(len(amounts)), len(amounts))
    sent = [
        expense(id=str(name), amount=amount, status="approved") for name, amount in zip(names, amounts, strict=True)
    ]
    task.send("expenses", *sent)
    gone = chance.sample(sent, chance.randint(0, len(sent)))
    for refund in gone:
        task.send("expenses", {**refund, "revision": 2, "status": "deleted"})
    whole = sum(minor(bill["amount"]) for bill in sent if bill not in gone)

    assert billed(task) == {name: share for name, share in shares(order, whole).items() if share}
