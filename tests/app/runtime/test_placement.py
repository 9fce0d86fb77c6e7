"""Placement: every worker knows, from its place alone, what it would be given if others went."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from billtide.app.runtime.placement import NamedRangeAssignor, Place, inherited, place_of, share

TOPICS = ["expenses", "time-entries"]


def group(*names: str, partitions: int = 8) -> dict[str, Any]:
    """Assignments of a group, by member id; a name that begins with `-` is an older worker's: it tells none."""
    members = {
        f"id-{name}": ConsumerProtocolMemberMetadata(0, TOPICS, b"" if name.startswith("-") else name.encode())
        for name in names
    }
    cluster = SimpleNamespace(partitions_for_topic=lambda _: set(range(partitions)))
    assigned: dict[str, Any] = NamedRangeAssignor("").assign(cluster, members)
    return assigned


@pytest.mark.parametrize("partitions", [1, 4, 7, 16])
@pytest.mark.parametrize("workers", [1, 2, 3, 5, 9])
def test_a_share_is_what_the_range_assignor_gives(workers: int, partitions: int) -> None:
    """What a worker reckons for a place is what the group assigns there, of every topic."""
    members = {f"{number:02d}": ConsumerProtocolMemberMetadata(0, TOPICS, b"") for number in range(workers)}
    cluster = SimpleNamespace(partitions_for_topic=lambda _: set(range(partitions)))
    assigned = RangePartitionAssignor.assign(cluster, members)

    for index, member in enumerate(sorted(members)):
        expected = list(share(Place(index, workers), partitions))
        assert [list(numbers) for _, numbers in assigned[member].assignment] == [expected] * len(TOPICS)


@pytest.mark.parametrize("partitions", [4, 7, 16])
@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("workers", [2, 3, 5])
def test_whoever_goes_the_others_were_ready_for_what_they_are_given(workers: int, lost: int, partitions: int) -> None:
    """Each task that moves when up to `lost` workers go moves to a worker that has followed it, and no other is."""
    places = [Place(index, workers) for index in range(workers)]
    given: list[set[int]] = [set() for _ in places]
    for count in range(1, min(lost, workers - 1) + 1):
        for gone in itertools.combinations(range(workers), count):
            left = [index for index in range(workers) if index not in gone]
            for at, index in enumerate(left):
                given[index].update(share(Place(at, len(left)), partitions))

    for place, expected in zip(places, given, strict=True):
        assert inherited(place, partitions, lost) == expected.difference(share(place, partitions))


def test_without_copies_or_others_nothing_is_followed() -> None:
    """No worker may go, or there is nobody to inherit from."""
    assert inherited(Place(1, 3), 8, 0) == set()
    assert inherited(Place(0, 1), 8, 2) == set()


def test_places_go_by_static_names_whatever_ids_the_group_gives() -> None:
    """A restarted worker, whose id is another, keeps its place, and so do all others."""
    before, after = (
        group("a", "b", "c"),
        NamedRangeAssignor("").assign(
            SimpleNamespace(partitions_for_topic=lambda _: set(range(8))),
            {
                member: ConsumerProtocolMemberMetadata(0, TOPICS, name)
                for member, name in {"id-z": b"a", "id-b": b"b", "id-c": b"c"}.items()
            },
        ),
    )

    assert after["id-z"] == before["id-a"]
    assert after["id-b"] == before["id-b"]
    assert place_of(before["id-b"].user_data) == Place(1, 3)


def test_workers_of_older_versions_have_a_place_too() -> None:
    """A member that tells no name is put where its id sorts; every partition is assigned once."""
    assigned = group("a", "-old", "-older", "b")

    numbers = [number for one in assigned.values() for topic, found in one.assignment for number in found]
    assert sorted(numbers) == sorted([*range(8)] * len(TOPICS))
    assert {place_of(one.user_data) for one in assigned.values()} == {Place(index, 4) for index in range(4)}


@pytest.mark.parametrize("told", [None, b"", b"1", b"1:", b"3:3", b"a:b", b"1:2:3"])
def test_what_is_no_place_is_none(told: bytes | None) -> None:
    """An older leader tells nothing; then no copies are kept."""
    assert place_of(told) is None
