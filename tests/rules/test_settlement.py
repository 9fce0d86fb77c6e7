"""The life of an entry in the ledgers: handed in, approved, corrected, recalled, deleted, approved again."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from billtide.codecs.decimals import parse_scaled

from .. import builders as records
from .builders import DAY, MILLION, Known, Ledger, contract, expense, period, person, version

WIP_UP = ("work_in_progress", "accrual", "800.00 work_in_progress")
WIP_DOWN = ("work_in_progress", "reversal", "800.00 accrued_revenue")
COST_UP = ("cost", "accrual", "400.00 project_cost")
COST_DOWN = ("cost", "reversal", "400.00 payroll_allocation")
SEVEN = 7 * MILLION


def figures(ledger: Ledger) -> dict[str, int]:
    """The sums of the engagement that are not zero."""
    names = ("approved_value", "billed", "unbilled", "held", "earned", "cost", "billed_expenses")
    return {name: value for name in names if (value := getattr(ledger.engagement, name))}


def test_a_submitted_entry_accrues_and_is_not_billed() -> None:
    """Cost and work in progress are accrued at submission; nothing unapproved is billed (M6)."""
    ledger = Ledger()
    ledger.send(version())

    assert ledger.accrued() == [COST_UP, WIP_UP]
    assert ledger.billed() == []
    assert figures(ledger) == {"unbilled": 80_000, "cost": 40_000}


def test_accrual_at_approval_waits_for_it() -> None:
    """Under accrue_at approval a pending entry posts nothing at all, and an approved one no work in progress."""
    ledger = Ledger(contract(policies={"accrue_at": "approval"}))
    ledger.send(version())
    assert ledger.ids() == []
    ledger.decide("approved")

    assert ledger.accrued() == [COST_UP]
    assert ledger.billed() == [("charge", "800.00")]


def test_approval_bills_and_closes_the_accrual() -> None:
    """The charge takes the place of the work in progress; the cost stays (M2)."""
    ledger = Ledger()
    ledger.send(version())
    ledger.clear()
    ledger.decide("approved")

    assert ledger.accrued() == [WIP_DOWN]
    assert ledger.billed() == [("charge", "800.00")]
    assert [event.method for event in ledger.effects.revenue] == ["as_billed"]
    assert figures(ledger) == {"approved_value": 80_000, "billed": 80_000, "earned": 80_000, "cost": 40_000}


def test_an_entry_approved_at_its_source_is_billed_at_once() -> None:
    """Without a pending time there is no work in progress to accrue and reverse."""
    ledger = Ledger()
    ledger.send(version(status="approved"))

    assert ledger.accrued() == [COST_UP]
    assert ledger.billed() == [("charge", "800.00")]


def test_a_correction_of_a_bill_reverses_and_rebills_once_approved() -> None:
    """The bill stands until its correction is approved; then it is reversed whole and billed anew."""
    ledger = Ledger()
    ledger.send(version(status="approved"))
    ledger.clear()
    ledger.send(version(revision=2, quantity=SEVEN))
    assert ledger.ids() == []
    ledger.decide("approved", 2)

    assert ledger.billed() == [("reversal", "-800.00"), ("charge", "700.00")]
    assert ledger.accrued() == [COST_DOWN, ("cost", "accrual", "350.00 project_cost")]
    assert figures(ledger) == {"approved_value": 70_000, "billed": 70_000, "earned": 70_000, "cost": 35_000}


def test_a_correction_of_a_pending_entry_accrues_anew() -> None:
    """Before approval nothing is on a bill, so only accruals are exchanged."""
    ledger = Ledger()
    ledger.send(version())
    ledger.clear()
    ledger.send(version(revision=2, quantity=SEVEN))

    assert ledger.billed() == []
    assert ledger.accrued() == [
        WIP_DOWN,
        COST_DOWN,
        ("cost", "accrual", "350.00 project_cost"),
        ("work_in_progress", "accrual", "700.00 work_in_progress"),
    ]


@pytest.mark.parametrize("status", ["rejected", "recalled", "deleted"])
@pytest.mark.parametrize("before", ["submitted", "approved"])
def test_a_withdrawn_entry_leaves_nothing(before: str, status: str) -> None:
    """Rejected, recalled or deleted: everything posted is reversed and all figures are zero again (M1, M2)."""
    ledger = Ledger()
    ledger.send(version(status=before))
    ledger.send(version(revision=2, status=status))
    debits: Counter[str] = Counter()
    for event in ledger.effects.accruals:
        for line in event.lines:
            debits[line.account] += parse_scaled(line.amount, 2, "") * (1 if line.side == "debit" else -1)

    assert figures(ledger) == {}
    assert sum(parse_scaled(event.amount, 2, "") for event in ledger.effects.billing) == 0
    assert set(debits.values()) == {0}


def test_cancelled_time_is_mirrored() -> None:
    """8 hours, cost 800, unbilled 1,600; recalled: -800 and -1,600, net 0 (worked example 2)."""
    known = Known(person(cost_rates=[{"rate": "100", "currency": "EUR"}]))
    ledger = Ledger(contract(rates=[{"rate": "200"}]), known)
    ledger.send(version())
    ledger.decide("recalled")

    assert ledger.accrued() == [
        ("cost", "accrual", "800.00 project_cost"),
        ("work_in_progress", "accrual", "1600.00 work_in_progress"),
        ("work_in_progress", "reversal", "1600.00 accrued_revenue"),
        ("cost", "reversal", "800.00 payroll_allocation"),
    ]


def test_a_recalled_entry_can_be_approved_again() -> None:
    """Approving again bills again, under a new number; the first bill and its reversal stay as they are."""
    ledger = Ledger()
    ledger.send(version())
    for sequence, verdict in enumerate(("approved", "recalled", "approved"), start=1):
        ledger.decide(verdict, sequence=sequence)

    assert [event.id for event in ledger.effects.billing] == [
        "psa:time:1:1:billing:0",
        "psa:time:1:1:billing:0:reversal",
        "psa:time:1:1:billing:1",
    ]
    assert figures(ledger) == {"approved_value": 80_000, "billed": 80_000, "earned": 80_000, "cost": 40_000}


@pytest.mark.parametrize("status", ["submitted", "approved"])
@pytest.mark.parametrize("terms", [{}, {"contract_type": "fixed_fee", "fee": {"amount": "1000", "estimated_cost": "800"}}], ids=["T&M", "fixed"])  # fmt: skip
def test_a_revision_with_the_same_money_posts_nothing(status: str, terms: records.Object) -> None:
    """A new note or a saved time sheet changes a revision number, not the books."""
    ledger = Ledger(contract(**terms))
    ledger.send(version(status=status))
    ledger.clear()
    ledger.send(version(revision=2, status=status))

    assert ledger.ids() == []


@pytest.mark.parametrize("status", ["submitted", "approved"])
@pytest.mark.parametrize("terms", [{}, {"contract_type": "fixed_fee", "fee": {"amount": "1000", "estimated_cost": "800"}}], ids=["T&M", "fixed"])  # fmt: skip
def test_with_nothing_to_post_a_closed_period_is_not_waited_for(status: str, terms: records.Object) -> None:
    """An entry whose books are right is not held when its period has closed and a same-money revision comes."""
    ledger = Ledger(contract(**terms))
    ledger.send(version(status=status))
    ledger.clear()
    ledger.contract = contract(calendar=[period(status="closed")], **terms)

    assert ledger.send(version(revision=2, status=status)) is None
    assert ledger.ids() == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"quantity": SEVEN}, id="quantity"),
        pytest.param({"unit": "minute"}, id="unit"),
        pytest.param({"work_date": DAY - dt.timedelta(days=1)}, id="work-date"),
        pytest.param({"resource_id": "R2"}, id="person"),
        pytest.param({"billable": False}, id="billable"),
        pytest.param({"role": "partner"}, id="role"),
        pytest.param({"grade": "senior"}, id="grade"),
        pytest.param({"item": "onsite"}, id="item"),
        pytest.param({"task_id": "T2"}, id="task"),
        pytest.param({"rate": 90 * MILLION}, id="rate"),
    ],
)
def test_a_revision_that_changes_money_or_the_bill_reverses_first(changes: records.Object) -> None:
    """Whatever an amount depends on, or a bill shows, is corrected by a reversal of all that stood."""
    known = Known(person(), person(id="R2"))
    ledger = Ledger(contract(rates=[{"rate": "100"}]), known)
    ledger.send(version(status="approved"))
    ledger.clear()
    ledger.send(version(revision=2, status="approved", **changes))

    assert ledger.billed()[0] == ("reversal", "-800.00")
    assert ledger.accrued()[0] == COST_DOWN


def test_a_reversal_copies_rate_exchange_rate_and_rounding() -> None:
    """It is never computed again: another rate, another exchange rate and another rounding change nothing in it."""
    mark_up = {"expenses": {"policy": "mark_up", "mark_up_percent": "7"}, "policies": {"rounding": "up"}}
    ledger = Ledger(contract(**mark_up), Known(fx=[records.fx_rate()]))
    ledger.send(expense(currency="USD", status="approved", amount=1_234))
    ledger.contract = contract(rates=[{"rate": "1"}], policies={"rounding": "down"})
    ledger.known = Known(fx=[records.fx_rate(rate="0.5")])
    ledger.send(expense(currency="USD", status="deleted", revision=2))
    charge, reversal = ledger.effects.billing

    assert (reversal.rate, reversal.fx_rate, reversal.rounding) == (charge.rate, charge.fx_rate, charge.rounding)
    assert (reversal.amount, reversal.quantity) == (f"-{charge.amount}", f"-{charge.quantity}")
    assert (reversal.id, reversal.reverses) == (f"{charge.id}:reversal", charge.id)
    assert charge.fx_rate == "0.9"


def test_a_reversal_credits_whom_the_charge_was_sent_to() -> None:
    """Terms that name another customer or legal entity do not redirect the credit of an old bill."""
    ledger = Ledger()
    ledger.send(version(status="approved"))
    ledger.contract = contract(customer_id="C2", legal_entity_id="US", revision=2)
    ledger.send(version(revision=2, status="deleted"))
    charge, reversal = ledger.effects.billing

    assert (reversal.customer_id, reversal.legal_entity_id) == (charge.customer_id, charge.legal_entity_id)


def test_a_reversal_stays_in_the_books_it_was_posted_to() -> None:
    """Accruals and revenue are taken back in the legal entity that posted them, whoever sells now (M2, M3)."""
    ledger = Ledger()
    ledger.send(version())
    ledger.send(version(id="2", status="approved"))
    ledger.contract = contract(legal_entity_id="US", revision=2)
    ledger.send(version(revision=2, status="deleted"))
    ledger.send(version(id="2", revision=2, status="deleted"))
    events = [*ledger.effects.accruals, *ledger.effects.revenue]

    assert [event.id for event in events if event.reverses]
    assert {event.legal_entity_id for event in events} == {"DE"}


def test_ids_say_their_cause() -> None:
    """Source, kind, entry, revision, what and ordinal: the same input can only produce the same id."""
    ledger = Ledger()
    ledger.send(version())
    ledger.decide("approved")

    assert ledger.ids() == [
        "psa:time:1:1:billing:0",
        "psa:time:1:1:cost:0",
        "psa:time:1:1:work_in_progress:0",
        "psa:time:1:1:work_in_progress:0:reversal",
        "psa:time:1:1:revenue:0",
    ]


def test_going_back_to_an_earlier_revision_uses_no_id_again() -> None:
    """Revision 2 is approved and rejected again and again while 3 is pending: each posting has its own id (M4)."""
    ledger = Ledger()
    ledger.send(version(revision=2))
    ledger.decide("approved", 2)
    ledger.send(version(revision=3, quantity=SEVEN))
    for sequence, verdict in enumerate(("rejected", "approved") * 2, start=2):
        ledger.decide(verdict, 2, sequence=sequence)
    ids = ledger.ids()

    assert sorted(set(ids)) == sorted(ids)


def test_hours_move_with_the_standing() -> None:
    """An entry's hours are counted once: submitted, then approved or non-billable, then nowhere."""
    ledger = Ledger()
    counts = []
    for sent in (version(), version(revision=2, status="approved"), version(revision=3, status="approved", billable=False), version(revision=4, status="deleted")):  # fmt: skip
        ledger.send(sent)
        engagement = ledger.engagement
        counts.append(tuple(time // 3_600_000_000 for time in (engagement.submitted_time, engagement.approved_time, engagement.non_billable_time)))  # fmt: skip

    assert counts == [(8, 0, 0), (0, 8, 0), (0, 0, 8), (0, 0, 0)]
