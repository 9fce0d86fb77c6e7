"""An engagement's state tells what is, not how it came about: its bytes are the same in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..builders import Object, Task, engagement, ready_task, resource, time_entry

if TYPE_CHECKING:
    from billtide.codecs.records import EngagementState


def kept(task: Task) -> bytes:
    """The bytes of the one engagement, as the changelog has them."""
    (raw,) = task.state.engagements.bytes.values()
    return raw


def state_of(task: Task) -> EngagementState:
    """What is kept of the one engagement."""
    return task.state.engagements.decode(kept(task))


def worked(day: int) -> Object:
    """Approved work of one day of November."""
    return time_entry(id=f"T{day}", status="approved", work_date=f"2026-11-{day:02}")


@pytest.mark.parametrize("days", [(3, 2, 4), (4, 3, 2)])
def test_what_is_kept_by_day_has_one_order(days: tuple[int, ...]) -> None:
    """Whichever day of work draws on a prepaid balance first, the state has the same bytes."""
    tasks = []
    for order in ((2, 3, 4), days):
        task = ready_task(engagement(contract_type="retainer", fee={"amount": "9000", "drawdown": {}}))
        task.send("time-entries", *map(worked, order))
        tasks.append(task)

    assert kept(tasks[0]) == kept(tasks[1])


def test_a_hold_that_is_over_leaves_nothing() -> None:
    """What was waited for once is not kept with a count of zero."""
    task = ready_task(engagement())
    task.send("time-entries", time_entry(resource_id="R9", status="approved"))
    assert state_of(task).held_entries == {"resource_unknown": 1}
    task.refer("resources", resource(id="R9"))

    assert state_of(task).held_entries == {}
