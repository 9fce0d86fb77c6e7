"""Weighing where volume tiers move prices: who must approve or review is told by the entry alone, in any order (M9)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..builders import approval, engagement, ready_task, time_entry

if TYPE_CHECKING:
    from random import Random

    from ..builders import Object, Task

TIERS = {"tiers": [{"above": "10", "rate": "90"}, {"above": "20", "rate": "80"}]}


def agreed(applies: str, **policies: object) -> Object:
    """Terms at 100 an hour, 90 above 10 hours and 80 above 20, approved by the manager."""
    return engagement(
        rates=[{"rate": "100", "volume_tiers": TIERS | {"applies": applies}}],
        policies={"approval_levels": ["manager"], **policies},
    )


def work(name: str, day: int, **changes: object) -> Object:
    """9 h, submitted."""
    return time_entry(
        **{"id": name, "status": "submitted", "quantity": "9", "work_date": f"2026-11-{day:02}", **changes}
    )


def sent(task: Task, records: list[Object]) -> tuple[str, str, dict[str, int]]:
    """Send records, each to its stream: what is billed, what is not, and what is held by reason."""
    for record in records:
        stream = "engagements" if "currency" in record else "approvals" if "verdict" in record else "time-entries"
        task.send(stream, record)
    figures = task.figures()
    return figures["billed"], figures["unbilled"], figures["held_entries"]


@pytest.mark.parametrize("applies", ["marginal", "whole_volume"])
def test_an_entry_needs_finance_by_its_own_price(applies: str) -> None:
    """900 at its own rate needs finance above 850, though others that came and went made it 810, in any order."""
    terms = agreed(applies, approval_thresholds=[{"amount": "850", "level": "finance"}])
    facts = [[work("1", 2), approval(entry_id="1")], [work("2", 3), approval(entry_id="2")]]
    others = [work("3", 1, quantity="12", status="approved"), work("3", 1, revision=2, status="deleted")]

    for order in itertools.permutations([*facts, others]):
        task = ready_task(terms)
        assert sent(task, [record for part in order for record in part]) == ("0.00", "1800.00", {})


@pytest.mark.parametrize("applies", ["marginal", "whole_volume"])
def test_a_correction_is_reviewed_by_its_own_price(applies: str) -> None:
    """Two hours more are 200 at the line's own rate, above 190, though they would be 180 above 10 hours."""
    terms = agreed(applies, review_above="190")
    task = ready_task(terms)
    first = [work("1", 1, quantity="12", status="approved"), work("2", 2, quantity="6", status="approved")]
    _, _, held = sent(task, [*first, work("2", 2, revision=2, quantity="8", status="approved")])

    assert held == {"awaiting_review": 1}


WAIVED: list[Object] = [{}, {"auto_approve_under": "750"}]
amounts = st.sampled_from(["300", "650", "801", "900"])
things = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from(["2", "7", "9", "15"]), st.sampled_from(["4", "9", None])),
    min_size=2,
    max_size=4,
)


@settings(max_examples=150)
@given(
    things,
    st.sampled_from(["marginal", "whole_volume"]),
    amounts,
    amounts,
    st.sampled_from(WAIVED),
    st.randoms(use_true_random=False),
)
def test_any_order_of_tiers_approvals_and_corrections_gives_the_same_money(
    drawn: list[tuple[int, str, str | None]], applies: str, threshold: str, review: str, waived: Object, chance: Random
) -> None:
    """Levels by amount, waived ones and reviews together with tiers: the same is billed and held (M9).

    Revisions of one entry keep their order, as a stream does.
    """
    policies = {"approval_thresholds": [{"amount": threshold, "level": "finance"}], "review_above": review}
    terms = agreed(applies, **policies, **waived)
    queues: list[list[Object]] = []
    for at, (day, quantity, again) in enumerate(drawn):
        name = str(at)
        queues += [[work(name, day, quantity=quantity)], [approval(entry_id=name)]]
        if again is not None:
            queues[-2].append(work(name, day, revision=2, quantity=again))
            queues += [
                [approval(entry_id=name, entry_revision=2, sequence=2)],
                [approval(entry_id=name, entry_revision=2, sequence=3, level="finance")],
            ]
    records = [record for queue in queues for record in queue]
    left = [queue for queue in queues for _ in queue]
    mixed = [queue.pop(0) for queue in chance.sample(left, len(left))]

    assert sent(ready_task(terms), mixed) == sent(ready_task(terms), records)
