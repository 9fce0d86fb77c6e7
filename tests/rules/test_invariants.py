"""The law of money over generated histories: M1 to M9, whatever arrives in whatever order.

Goal: no order of arrival, duplicate, late revision, decision or crash makes a cent appear, vanish or double.
Method: hypothesis makes a history (streams of records), an order in which the streams meet, and crashes; after every
record what left the task is compared with a model that knows only the records (model.py).
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..builders import REFERENCES
from . import sums
from .histories import History, caps, chances, fixed_fees, histories, late_changes, play, time_and_materials
from .model import Expected

if TYPE_CHECKING:
    from ..builders import Object, Task
    from .histories import Changes, Step

LAW = settings(
    max_examples=int(os.environ.get("BILLTIDE_TEST_EXAMPLES", "150")),
)
any_terms = time_and_materials | caps | fixed_fees
FIGURES = (
    "submitted_time", "approved_time", "non_billable_time", "approved_value", "billed", "fees", "unbilled", "held",
    "earned", "cost", "billed_expenses", "approved_cost", "recognised", "non_chargeable",
)  # fmt: skip


def figures(task: Task) -> dict[str, int]:
    """The money and hours of the engagement."""
    state = task.state.engagements.get(task.state.engagements.key("E1"))
    assert state is not None
    return {name: getattr(state, name) for name in FIGURES}


def money(task: Task) -> dict[str, int]:
    """What no order changes: the figures, and what is billed of each entry, also under a cap."""
    names = sorted({(line["kind"], line["entry_id"]) for line in task.out["billing"]})
    billed = {" ".join(name): amount for name in names if (amount := sums.billed(task, name))}
    return {**figures(task), **billed}


def always_true(task: Task, steps: list[Step]) -> None:
    """What holds after every single record."""
    sums.journals_balance(task)
    sums.ids_are_unique(task)
    sums.holds_end_once(task)
    sums.figures_are_sums(task)
    for stream in {name for name, _ in steps if name not in REFERENCES}:
        sums.dispositions_add_up(task, stream, sum(name == stream for name, _ in steps))


def cap_of(terms: Object) -> int | None:
    """The cap in minor units."""
    return sums.minor(terms["cap"]["amount"]) if "cap" in terms else None


def money_is_right(task: Task, history: History) -> None:
    """With everything known, every entry stands as its records say, and the cap takes no more than it holds."""
    expected, cap = Expected(history.terms, history.in_order()), cap_of(history.terms)
    for name in expected.counts:
        if cap is None:
            assert (name, expected.billed(name)) == (name, sums.billed(task, name))  # M1
        assert (name, expected.unbilled(name)) == (name, sums.accrued(task, "work_in_progress", name))  # M2
    total = sum(expected.billed(name) for name in expected.counts)
    assert sums.billed(task) == (total if cap is None else min(total, cap))
    assert figures(task)["approved_value"] == total  # M7
    assert figures(task)["cost"] == sum(expected.cost(name) for name in expected.counts)
    assert sums.earned(task, "cost_to_cost") == expected.recognised()
    reasons = {hold.reason for key in task.state.holds.bytes if (hold := task.state.holds.get(key))}
    assert reasons <= {"cap_reached", "cap_stopped", "receipt_missing"}


@LAW
@given(histories(any_terms, entries=1, revisions=4), chances)
def test_one_entry_is_billed_for_what_counts_of_it(history: History, chance: Random) -> None:
    """The life of a single entry, long: any statuses, corrections and decisions leave exactly its price (M1-M8)."""
    money_is_right(play(history.interleaved(chance), always_true), history)


@LAW
@given(histories(any_terms), chances, st.integers(0, 5))
def test_the_law_holds_after_every_record(history: History, chance: Random, restart_every: int) -> None:
    """Several entries and expenses, terms, rates, person and period late, crashes between records (M1-M8)."""
    money_is_right(play(history.interleaved(chance), always_true, restart_every), history)


@LAW
@given(histories(any_terms), chances, chances)
def test_any_interleaving_gives_the_same_money(history: History, chance: Random, other: Random) -> None:
    """Two orders in which the same streams meet leave the same figures (M9)."""
    one, two = play(history.interleaved(chance)), play(history.interleaved(other))

    assert money(one) == money(two)


@LAW
@given(histories(caps), chances)
def test_a_cap_is_never_exceeded_on_the_way(history: History, chance: Random) -> None:
    """After every record the bill is at most the cap, and held value only exists while the cap is used up (M6)."""
    cap = cap_of(history.terms)
    assert cap is not None

    def inside(task: Task, _: list[Step]) -> None:
        state = task.state.engagements.get(task.state.engagements.key("E1"))
        if state is not None:
            assert state.billed == sums.billed(task) <= cap
            assert not state.held or state.billed == cap

    play(history.interleaved(chance), inside)


@LAW
@given(histories(caps), chances, st.sampled_from(["500", "1500.01", "99999"]))
def test_a_cap_may_rise_at_any_time(history: History, chance: Random, risen: str) -> None:
    """Terms with a higher cap, before, between or after the entries, leave what the higher cap alone would (M8, M9)."""
    cap = max(history.terms["cap"]["amount"], risen, key=sums.minor)
    raised = {**history.terms, "revision": 2, "cap": {"amount": cap}}
    rising = History(raised, {**history.streams, "engagements": [history.terms, raised]})

    money_is_right(play(rising.interleaved(chance), always_true), rising)


@LAW
@given(histories(any_terms), late_changes, chances, chances, st.integers(0, 5))
def test_terms_and_rates_may_change_at_any_time(
    history: History, changes: Changes, chance: Random, other: Random, restart_every: int
) -> None:
    """Other terms, cards, cost and exchange rates, before, between or after the entries, leave the same money (M9).

    And after every record, also those that price what is posted anew, the sums are right (M2, M3, M4, M7).
    """
    changing = history.changed(changes)
    one = play(changing.interleaved(chance), always_true, restart_every)

    assert money(one) == money(play(changing.interleaved(other)))


@LAW
@given(histories(caps), chances, st.sampled_from(["0", "99.99", "500"]))
def test_a_cap_may_be_lowered_at_any_time(history: History, chance: Random, lowered: str) -> None:
    """What lies over the lower cap is given back, to the minor unit (M6)."""
    cap = min(history.terms["cap"]["amount"], lowered, key=sums.minor)
    lower = {**history.terms, "revision": 2, "cap": {"amount": cap}}
    lowering = History(lower, {**history.streams, "engagements": [history.terms, lower]})

    money_is_right(play(lowering.interleaved(chance), always_true), lowering)


@LAW
@given(histories(time_and_materials | fixed_fees), chances)
def test_nothing_unapproved_is_ever_billed(history: History, chance: Random) -> None:
    """After every record an entry's bill is the price of what is approved by then, or still waits to be corrected (M6)."""

    def approved_only(task: Task, steps: list[Step]) -> None:
        expected = Expected(history.terms, steps)
        known = {
            key[1:].decode().split("\x1f")[0] + key.decode().rsplit("\x1f", 1)[1] for key in task.state.holds.bytes
        }
        for name in expected.counts:
            if "".join(name) not in known and any(stream == "engagements" for stream, _ in steps):
                assert (name, expected.billed(name)) == (name, sums.billed(task, name))

    play(history.interleaved(chance), approved_only)


@LAW
@given(histories(any_terms), chances, st.lists(st.sampled_from(["open", "closed", "future"]), max_size=4))
def test_nothing_is_posted_to_a_period_that_is_not_open(history: History, chance: Random, statuses: list[str]) -> None:
    """A period that opens and closes: events leave only while it is open, and in the end the money is right (M6)."""
    year, *_ = history.streams["periods"]
    revisions = [{**year, "revision": at, "status": status} for at, status in enumerate([*statuses, "open"], start=1)]
    changing = History(history.terms, {**history.streams, "periods": revisions})
    posted = 0

    def open_only(task: Task, steps: list[Step]) -> None:
        nonlocal posted
        now = sum(len(task.out[stream]) for stream in ("billing", "accruals", "revenue"))
        status = next((sent["status"] for stream, sent in reversed(steps) if stream == "periods"), "unknown")
        assert now == posted or status == "open"
        posted = now
        always_true(task, steps)

    money_is_right(play(changing.interleaved(chance), open_only), changing)


@LAW
@given(histories(any_terms), chances)
def test_the_same_order_gives_the_same_events(history: History, chance: Random) -> None:
    """A replay from the beginning emits the same events with the same ids, byte for byte."""
    steps = history.interleaved(chance)

    assert play(steps).out == play(steps).out


@LAW
@given(histories(any_terms), chances)
def test_a_slab_is_as_good_as_its_records(history: History, chance: Random) -> None:
    """Records applied many to a transaction, or one by one, leave the same money."""
    steps = history.in_order()
    slabs = play([step for step in steps if step[0] in REFERENCES or step[0] == "engagements"])
    for stream in ("time-entries", "expenses", "approvals"):
        sent = history.streams[stream]
        at = chance.randint(0, len(sent))
        for part in (sent[:at], sent[at:]):
            slabs.send(stream, *part)

    assert figures(slabs) == figures(play(steps))
    assert slabs.out["billing"] == play(steps).out["billing"]


@pytest.mark.parametrize("terms", [time_and_materials, caps, fixed_fees], ids=["T&M", "capped", "fixed-fee"])
def test_the_histories_reach_every_outcome(terms: st.SearchStrategy[Object]) -> None:
    """The generator is worth its name: bills, reversals, holds, duplicates and stale records all occur."""
    seen: set[str] = set()

    @settings(max_examples=120, database=None, derandomize=True)
    @given(histories(terms), chances)
    def look(history: History, chance: Random) -> None:
        task = play(history.interleaved(chance))
        seen.update(task.outcomes)
        seen.update(event["action"] for stream in ("billing", "accruals", "exceptions") for event in task.out[stream])

    look()

    assert {"applied", "duplicate", "stale", "held", "charge", "reversal", "accrual", "released"} <= seen
