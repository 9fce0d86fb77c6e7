"""Milestones of a fixed fee: billed once when reached, taken back exactly, held while their period is closed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.effects import Effects
from billtide.agents.rules.milestones import settle_milestones
from billtide.codecs.errors import UndecodableError
from billtide.codecs.records import EngagementState

from .. import builders as records
from . import sums
from .builders import YEAR, contract, period

ON = {"reached_on": "2026-11-10"}
HALVES = [{"id": "M1", "name": "Go-live", "percent": "50"}, {"id": "M2", "percent": "50"}]


def fee(milestones: list[records.Object], amount: str = "1000", **changes: object) -> records.Object:
    """A fee of 1,000 with 700 of expected cost and these milestones."""
    return {"amount": amount, "estimated_cost": "700", "milestones": milestones, **changes}


def fixed(milestones: list[records.Object], amount: str = "1000", **changes: object) -> object:
    """A fixed fee contract with these milestones."""
    return contract(contract_type="fixed_fee", fee=fee(milestones, amount), **changes)


def reached(*names: str, **changes: object) -> list[records.Object]:
    """Two milestones of half the fee, some of them reached."""
    return [milestone | (ON | changes if milestone["id"] in names else {}) for milestone in HALVES]


def settle(state: EngagementState, *contracts: object) -> Effects:
    """What each revision of the terms brings about, in order."""
    effects = Effects()
    for revised in contracts:
        settle_milestones(state, revised, effects)
    return effects


def test_a_milestone_is_billed_once() -> None:
    """Looking again bills nothing again; the next one reached bills only itself."""
    effects = settle(
        EngagementState("E1"), fixed(reached()), fixed(reached("M1")), fixed(reached("M1"), revision=2),
        fixed(reached("M1", "M2"), revision=3),
    )  # fmt: skip

    assert [(event.id, event.amount) for event in effects.billing] == [
        ("crm:milestone:E1:M1:1:billing:0", "500.00"),
        ("crm:milestone:E1:M2:3:billing:0", "500.00"),
    ]


def test_a_milestone_is_a_line_with_its_trace() -> None:
    """Kind fee, one milestone at its amount, dated when it was reached; the receivable takes over from the asset."""
    effects = settle(EngagementState("E1"), fixed(reached("M1")))
    (line,), (moved,) = effects.billing, effects.accruals

    assert (line.kind, line.quantity, line.unit, line.rate, line.item) == ("fee", "1", "milestone", "500.00", "M1")
    assert (str(line.work_date), str(line.accounting_date)) == ("2026-11-10", "2026-11-10")
    assert [(step.step, step.value) for step in line.trace] == [("fee", "1000.00"), ("percent", "50"), ("milestone", "500.00")]  # fmt: skip
    assert line.trace[-1].source == "terms of E1 revision 1, milestone M1 (Go-live) reached on 2026-11-10"
    assert [(side.side, side.account, side.amount) for side in moved.lines] == [
        ("debit", "unbilled_receivable", "500.00"),
        ("credit", "contract_asset", "500.00"),
    ]
    assert effects.revenue == []


@pytest.mark.parametrize(
    ("after", "amounts"),
    [
        pytest.param(fixed(reached(), revision=2), ["500.00", "-500.00"], id="not-reached"),
        pytest.param(fixed([{"id": "M2", "percent": "100"}], revision=2), ["500.00", "-500.00"], id="gone"),
        pytest.param(contract(revision=2), ["500.00", "-500.00"], id="another-contract-type"),
        pytest.param(fixed(reached("M1"), "3000", revision=2), ["500.00", "-500.00", "1500.00"], id="another-fee"),
        pytest.param(
            fixed(reached("M1", reached_on="2026-11-12"), revision=2), ["500.00", "-500.00", "500.00"], id="another-day"
        ),
        pytest.param(
            fixed(reached("M1"), revision=2, policies={"rounding": "up"}), ["500.00"], id="what-does-not-concern-it"
        ),
    ],
)
def test_terms_that_change_take_the_bill_back(after: object, amounts: list[str]) -> None:
    """A bill that the terms no longer say is reversed; a changed one is billed again."""
    state = EngagementState("E1")
    effects = settle(state, fixed(reached("M1")), after)

    assert [event.amount for event in effects.billing] == amounts
    assert (
        state.fees
        == sum(m.posted.amount for m in state.milestones.values() if m.posted.live)
        == sum(sums.minor(amount) for amount in amounts)
    )


def test_a_reversal_copies_its_bill() -> None:
    """Amount, rounding, dates of work, customer and source are the bill's, whatever the terms say now."""
    before = fixed(reached("M1"), policies={"rounding": "half_even"})
    after = fixed(reached(), revision=2, customer_id="C2", source="crm2", policies={"rounding": "up"})
    effects = settle(EngagementState("E1"), before, after)
    charge, reversal = effects.billing

    assert (reversal.id, reversal.reverses) == (f"{charge.id}:reversal", charge.id)
    for name in ("rate", "rounding", "work_date", "customer_id", "source", "currency", "item", "revision"):
        assert getattr(reversal, name) == getattr(charge, name)
    assert (reversal.quantity, reversal.amount) == ("-1", "-500.00")
    assert [event.reverses for event in effects.accruals] == ["", "crm:milestone:E1:M1:1:receivable:0"]


@pytest.mark.parametrize(
    ("status", "policy", "waits", "billed"),
    [
        pytest.param("open", "hold", [], {"M1": "2026-11-10", "M2": "2026-10-20"}, id="open"),
        pytest.param("closed", "hold", ["period_closed"], {"M2": "2026-10-20"}, id="closed"),
        pytest.param("future", "hold", ["period_future"], {"M2": "2026-10-20"}, id="planned-ahead"),
        pytest.param("closed", "next_open_period", [], {"M1": "2026-12-01", "M2": "2026-10-20"}, id="late"),
    ],
)
def test_a_milestone_waits_for_its_period(status: str, policy: str, waits: list[str], billed: dict[str, str]) -> None:
    """Nothing is posted to a period that is not open (M6); the other milestone does not wait; late ones may move."""
    months = [
        period(id="2026-10", start_date="2026-10-01", end_date="2026-10-31"),
        period(status=status),
        period(id="2026-12", start_date="2026-12-01", end_date="2026-12-31"),
    ]
    both = [HALVES[0] | ON, HALVES[1] | {"reached_on": "2026-10-20"}]
    effects, state = Effects(), EngagementState("E1")
    under = fixed(both, calendar=months, policies={"closed_period": policy})
    waiting = settle_milestones(state, under, effects)

    assert [reason for reason, _ in waiting] == waits
    assert {event.item: str(event.accounting_date) for event in effects.billing} == billed


def test_a_bill_of_a_closed_period_is_not_billed_again_before_it_is_reversed() -> None:
    """While the reversal waits the old bill stands alone."""
    state = EngagementState("E1")
    settle(state, fixed(reached("M1"), calendar=[YEAR]))
    closed = period(id="2026", start_date="2026-01-01", end_date="2026-11-11", status="closed")
    effects = settle(state, fixed(reached("M1", reached_on="2026-11-12"), revision=2, calendar=[closed, period(start_date="2026-11-12")]))  # fmt: skip

    assert effects.billing == []
    assert state.fees == 50_000


def test_a_closed_period_holds_milestones_as_it_holds_fees() -> None:
    """The terms wait, are told once, and bill by themselves when the period opens."""
    terms = {"contract_type": "fixed_fee", "fee": fee(reached("M1"))}
    task = records.Task()
    task.refer("periods", records.year("closed"))
    assert task.send("engagements", records.engagement(**terms)) == "held"
    assert task.out["billing"] == []
    task.refer("periods", records.year(revision=2))

    assert task.amounts() == ["500.00"]
    assert [event["action"] for event in task.out["exceptions"]] == ["held", "released"]
    task.restart()
    task.send("engagements", records.engagement(**terms, revision=2))
    assert task.amounts() == ["500.00"]


def test_a_closed_period_is_told_before_one_that_has_not_begun() -> None:
    """Of two that wait, the one that somebody must act on is what users hear of."""
    both = [HALVES[0] | {"reached_on": "2026-12-01"}, HALVES[1] | ON]
    task = records.Task()
    december = records.period(id="2026-12", start_date="2026-12-01", end_date="2026-12-31", status="future")
    task.refer("periods", records.period(status="closed"), december)

    assert task.send("engagements", records.engagement(contract_type="fixed_fee", fee=fee(both))) == "held"
    assert [event["reason"] for event in task.out["exceptions"]] == ["period_closed"]


def test_percentages_sum_to_the_cent() -> None:
    """Thirds of 100.00 are 33.33, 33.34 and 33.33: rounded as they add up, nothing is lost."""
    thirds = [{"id": str(at), "percent": percent} | ON for at, percent in enumerate(("33.3333", "33.3334", "33.3333"))]
    effects = settle(EngagementState("E1"), fixed(thirds, "100"))

    assert [event.amount for event in effects.billing] == ["33.33", "33.34", "33.33"]


REFUSED = [
    pytest.param([{"id": "M1", "amount": "999.99"}], "$.fee.milestones", "they add up to 999.99, the fee is 1000.00", "send milestones that sum to fee.amount", id="too-little"),
    pytest.param([{"id": "M1", "percent": "100"}, {"id": "M2", "amount": "0.01"}], "$.fee.milestones", "they add up to 1000.01", "send milestones that sum", id="too-much"),
    pytest.param([{"id": "M1", "percent": "50"}] * 2, "$.fee.milestones[1].id", "'M1' is there twice", "its own id", id="twice"),
    pytest.param([{"id": "M1"}], "$.fee.milestones[0]", "not exactly one of amount and percent", "send one of them", id="neither"),
    pytest.param([{"id": "M1", "amount": "1000", "percent": "100"}], "$.fee.milestones[0]", "not exactly one", "send one of them", id="both"),
    pytest.param([{"id": "M1", "amount": "0"}, {"id": "M2", "percent": "100"}], "$.fee.milestones[0].amount", "bills nothing", "more than zero", id="nothing"),
    pytest.param([{"id": "M1", "percent": "-10"}, {"id": "M2", "percent": "110"}], "$.fee.milestones[0].percent", "bills nothing or less", "more than zero", id="less"),
    pytest.param([{"id": "a:b", "percent": "100"}], "$.fee.milestones[0].id", "a colon", "plain identifier", id="colon"),
    pytest.param([{"id": "M1", "percent": "x"}], "$.fee.milestones[0].percent", "not a decimal number", "write it as text", id="no-number"),
]  # fmt: skip


@pytest.mark.parametrize(("milestones", "field", "problem", "fix"), REFUSED)
def test_milestones_that_make_no_sense_are_refused(
    milestones: list[records.Object], field: str, problem: str, fix: str
) -> None:
    """Terms whose milestones are not exactly the fee name the field, what is wrong and what to send."""
    with pytest.raises(UndecodableError) as caught:
        fixed(milestones)

    assert caught.value.field == field
    assert problem in caught.value.problem
    assert fix in caught.value.fix


def test_a_retainer_has_no_milestones() -> None:
    """Milestones that would never be billed are refused, not passed over."""
    with pytest.raises(UndecodableError, match="billed by term"):
        contract(contract_type="retainer", fee=fee(reached()))


revisions = st.lists(
    st.tuples(
        st.lists(st.sampled_from([None, "2026-10-05", "2026-11-10"]), min_size=3, max_size=3),
        st.sampled_from([("30", "30", "40"), ("10.5", "33.3333", "56.1667")]),
        st.sampled_from(["1000", "99.99"]),
    ),
    min_size=1,
    max_size=5,
)
calendars = st.lists(st.tuples(st.sampled_from(["open", "closed"]), st.sampled_from(["open", "future"])), max_size=5)


@given(revisions, calendars, st.booleans())
def test_bills_are_what_the_last_terms_say(
    terms: list[tuple[list[str | None], tuple[str, ...], str]],
    calendars: list[tuple[str, str]],
    restart: bool,  # noqa: FBT001
) -> None:
    """Any revisions and closings: in the end exactly what is reached is billed, no id leaves twice (M1, M4, M6)."""
    task = records.Task()
    statuses = [*calendars, ("open", "open")]
    for revision, (dates, percents, amount) in enumerate(terms, 1):
        milestones = [
            {"id": str(at), "percent": percent} | ({} if date is None else {"reached_on": date})
            for at, (date, percent) in enumerate(zip(dates, percents, strict=True))
        ]
        task.send("engagements", records.engagement(contract_type="fixed_fee", fee=fee(milestones, amount), revision=revision))  # fmt: skip
        _open(task, revision, statuses[min(revision - 1, len(statuses) - 1)])
        if restart:
            task.restart()
    _open(task, len(terms) + 1, ("open", "open"))
    dates, percents, amount = terms[-1]
    standing = Counter[str]()
    for event in task.out["billing"]:
        standing[event["item"]] += sums.minor(event["amount"])
    whole = sum(standing.values())

    assert {name for name, billed in standing.items() if billed} == {str(at) for at, date in enumerate(dates) if date}
    assert None in dates or whole == sums.minor(amount)
    assert sums.minor(task.figures()["fees"]) == whole
    sums.ids_are_unique(task)
    sums.journals_balance(task)
    sums.holds_end_once(task)


def _open(task: records.Task, revision: int, statuses: tuple[str, str]) -> None:
    """October and November in these statuses."""
    october = records.period(id="10", start_date="2026-01-01", end_date="2026-10-31", status=statuses[0])
    task.refer("periods", october | {"revision": revision}, records.period(status=statuses[1], revision=revision))
