"""Long lists in short steps: everything once, in order, and no step longer than it may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents import steps
from billtide.agents.steps import in_order
from billtide.agents.wake import in_steps

from ..builders import Task, assignment, ready_task, resource, time_entry


@given(
    keys=st.lists(st.binary(max_size=3), unique=True, max_size=40),
    looked=st.integers(1, 9),
    most=st.integers(1, 9),
    order=st.sampled_from([None, lambda key: key[::-1]]),
    wanted=st.sampled_from([None, lambda key: len(key) > 1]),
)
def test_steps_give_all_that_is_wanted_in_order(
    keys: list[bytes], looked: int, most: int, order: object, wanted: object
) -> None:
    """For any keys the steps together are the sorted list of the wanted; none looks at, or gives, more than it may."""
    seen: list[bytes] = []

    def asked(key: bytes) -> bool:
        seen.append(key)
        return wanted is None or wanted(key)  # type: ignore[operator]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "LOOKED_AT_MAX", looked)
        patch.setattr(steps, "GIVEN_MAX", most)
        found: list[list[bytes]] = []
        for step in in_order(keys, asked, order):  # type: ignore[arg-type]
            assert len(seen) <= looked
            assert len(step) <= most
            seen.clear()
            found.append(step)

    kept = keys if wanted is None else [key for key in keys if wanted(key)]  # type: ignore[operator]
    assert [key for step in found for key in step] == sorted(kept, key=order)  # type: ignore[type-var, arg-type]


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of a few keys."""
    monkeypatch.setattr(steps, "LOOKED_AT_MAX", 3)
    monkeypatch.setattr(steps, "GIVEN_MAX", 2)


def busy_task() -> Task:
    """Ten entries that are priced, five that wait for a person, the last by its name first; and a plan."""
    task = ready_task()
    task.send("time-entries", *(time_entry(id=f"{number}") for number in range(10)))
    task.send("time-entries", *(time_entry(id=f"9{number}", resource_id="R2") for number in range(4, -1, -1)))
    task.send("assignments", assignment())
    return task


@pytest.mark.usefixtures("_short")
def test_holds_come_first_then_entries_then_plans() -> None:
    """A change of people ends holds in their order, then looks at all entries a few at a time, and at plans."""
    task = busy_task()
    found = list(in_steps(task.state, {"resource:R1", "resource:R2"}))
    keys = [key for step in found for key in step]

    assert [key[-2:] for key in keys[:5]] == [b"94", b"93", b"92", b"91", b"90"]
    assert [key[:1] for key in keys] == [b"h"] * 5 + [b"e"] * 15 + [b"s"]
    assert len([step for step in found if not step]) == 1 + 4
    assert max(map(len, found)) == 2


@pytest.mark.usefixtures("_short")
def test_what_comes_between_two_steps_does_no_harm() -> None:
    """Holds that end and entries that arrive while the list is walked: what was there at first comes once."""
    task = busy_task()
    there = {key for step in in_steps(task.state, {"resource:R1", "resource:R2"}) for key in step}
    walk = in_steps(task.state, {"resource:R1", "resource:R2"})
    found = list(next(walk))
    task.refer("resources", resource(id="R2"))
    for number, step in enumerate(walk):
        found += step
        task.send("time-entries", time_entry(id=f"new-{number}"))

    assert len(there) == 21
    assert {key for key in found if b"new-" not in key} == there
    assert len(found) == len(set(found))
