"""The law of money under the ledger's policies: dates, roll-over, account numbers and exchange, in any order of arrival.

The same histories and the same model as in test_invariants.py: these policies say when and on which account something
is posted, never how much, so a model that knows none of them must still be right.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, get_args

from hypothesis import given
from hypothesis import strategies as st

from billtide.codecs.journal import Account

from .. import builders as records
from .histories import History, chances, histories, play
from .test_invariants import LAW, always_true, any_terms, money, money_is_right

if TYPE_CHECKING:
    from ..builders import Object, Task

ledger_policies = st.fixed_dictionaries(
    {"closed_period": st.just("next_open_period")},
    optional={
        "accounting_date": st.sampled_from(["approval_date", "period_end", "submission_date"]),
        "work_in_progress": st.just("reverse_next_period"),
        "unmapped_account": st.just("hold"),
        "margin": st.just("by_practice_and_region"),
        "fx_policy": st.fixed_dictionaries(
            {},
            optional={
                "date": st.sampled_from(["approval_date", "accounting_date"]),
                "quotation": st.just("either"),
                "agreed_rates": st.just([{"base": "GBP", "rate": "1.1"}]),
            },
        ),
    },
)
NOVEMBER = records.period()
DECEMBER = records.period(id="2026-12", start_date="2026-12-01", end_date="2026-12-31", status="future")
PERIODS = [
    records.period(id="past", start_date="2026-01-01", end_date="2026-10-31", status="closed"),
    NOVEMBER,
    DECEMBER,
    {**DECEMBER, "revision": 2, "status": "open"},
    {**NOVEMBER, "revision": 2, "status": "closed"},
]
"""Everything is worked and spent in November, which is closed in the end."""


def numbered(version: int, **dates: str) -> Object:
    """A number for every account."""
    lines = [{"account": account, "number": f"{version}{at:02}"} for at, account in enumerate(get_args(Account))]
    return records.account_map(*lines, version=version, **dates)


def under(history: History, policies: Object) -> History:
    """The same history under these policies, with months that close, two maps, and entries and decisions with their day.

    Nothing is approved by its source where the day of approval matters: nobody would say it.
    """
    terms = {**history.terms, "policies": {**history.terms.get("policies", {}), **policies}}
    dated = "approval_date" in {policies.get("accounting_date"), policies.get("fx_policy", {}).get("date")}

    def undecided(sent: Object) -> Object:
        status = "submitted" if dated and sent["status"] == "approved" else sent["status"]
        return {**sent, "status": status, "submitted_on": "2026-11-30"}

    streams = {
        **history.streams,
        "time-entries": [*map(undecided, history.streams["time-entries"])],
        "expenses": [*map(undecided, history.streams["expenses"])],
        "approvals": [
            {**sent, "decided_on": f"2026-11-{21 + sent['sequence'] % 9}"} for sent in history.streams["approvals"]
        ],
        "engagements": [terms],
        "periods": PERIODS,
        "account-maps": [numbered(1), numbered(2, effective_from="2026-12-01")],
    }
    return History(terms, streams)


def reversals_are_exact(task: Task) -> None:
    """Accounts, numbers and amounts of a reversal are those of what it reverses, on the other side."""
    for stream in ("accruals", "revenue"):
        known = {event["id"]: event for event in task.out[stream]}
        for event in known.values():
            if event.get("reverses"):
                assert signed(event) == {name: -amount for name, amount in signed(known[event["reverses"]]).items()}


def signed(event: Object) -> dict[tuple[str, str], Decimal]:
    """Amounts by account and number; credits are below zero."""
    return {
        (line["account"], line.get("number", "")): Decimal(line["amount"]) * (1 if line["side"] == "debit" else -1)
        for line in event["lines"]
    }


@LAW
@given(histories(any_terms), ledger_policies, chances, st.integers(0, 5))
def test_the_policies_of_the_ledger_move_no_money(
    history: History, policies: Object, chance: Random, restart_every: int
) -> None:
    """M1 to M8 with periods that open and close between the records, and crashes; reversals are exact."""
    changed = under(history, policies)
    task = play(changed.interleaved(chance), always_true, restart_every)

    money_is_right(task, changed)
    reversals_are_exact(task)


@LAW
@given(histories(any_terms), ledger_policies, chances, chances)
def test_no_order_of_arrival_matters_to_the_ledger(
    history: History, policies: Object, chance: Random, other: Random
) -> None:
    """M9: two orders leave the same figures, and the same margins by practice and region."""
    changed = under(history, policies)
    one, two = play(changed.interleaved(chance)), play(changed.interleaved(other))

    assert money(one) == money(two)
    assert one.figures().get("margins") == two.figures().get("margins")


@LAW
@given(histories(any_terms), ledger_policies, chances)
def test_no_accrual_that_rolls_over_stands_in_a_closed_period(
    history: History, policies: Object, chance: Random
) -> None:
    """M6 and M2: in the end all that is accrued and not billed stands in December, as much as ever."""
    changed = under(history, {**policies, "work_in_progress": "reverse_next_period"})
    task = play(changed.interleaved(chance))
    accruals = {event["id"]: event for event in task.out["accruals"] if event["kind"] == "work_in_progress"}
    gone = {event["reverses"] for event in accruals.values() if event.get("reverses")}
    left = [event for name, event in accruals.items() if name not in gone and not event.get("reverses")]

    assert {event["accounting_date"][:7] for event in left} <= {"2026-12"}
    money_is_right(task, changed)
