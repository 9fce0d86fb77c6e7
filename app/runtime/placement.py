"""Which worker has which tasks, in an order that restarts do not change, and what each would be given if others went.

Tasks are shared out by range, in the order of the workers' names: the static one (BILLTIDE_INSTANCE_ID) where there is
one, else the id the group gave it. The group's leader tells each worker its place in that order with what it assigns:
each can then work out by itself whose tasks it would be given. A leader that is an older worker tells no place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Place(NamedTuple):
    """number: of a worker, from 0, among so many workers of the group."""

    number: int
    workers: int

    def encode(self) -> bytes:
        """As it goes with an assignment."""
        return b"%d:%d" % self


def place_of(told: bytes | None) -> Place | None:
    """The place that came with an assignment; None when it tells none."""
    index, _, workers = (told or b"").partition(b":")
    if not (index.isdigit() and workers.isdigit()) or int(index) >= int(workers):
        return None
    return Place(int(index), int(workers))


def share(place: Place, partitions: int) -> range:
    """Partitions the worker at a place is assigned."""
    each, more = divmod(partitions, place.workers)
    first = each * place.number + min(place.number, more)
    return range(first, first + each + (place.number < more))


def inherited(place: Place, partitions: int, lost_max: int) -> set[int]:
    """Partitions a worker does not have and would be given if up to `lost_max` others went, whichever they are."""
    found: set[int] = set()
    after = place.workers - 1 - place.number
    for lost in range(1, min(lost_max, place.workers - 1) + 1):
        for before in range(max(0, lost - after), min(lost, place.number) + 1):
            found.update(share(Place(place.number - before, place.workers - lost), partitions))
    return found.difference(share(place, partitions))


class NamedRangeAssignor(RangePartitionAssignor):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's range assignor, by name, which tells places. place: of this worker, as of its last assignment.

    Its name in the group stays `range`, so that workers of older versions may be members of the same group.
    """

    def __init__(self, instance_id: str) -> None:
        """Belong to the worker of this static name, or of none."""
        self._name: Final = instance_id.encode()
        self.place: Place | None = None

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this worker tells the leader: what it reads, and its static name."""
        return ConsumerProtocolMemberMetadata(self.version, list(topics), self._name)

    def assign(self, cluster: Any, members: Mapping[str, Any]) -> dict[str, ConsumerProtocolMemberAssignment]:  # noqa: ANN401
        """Share all partitions out; asked of the leader."""
        ordered = sorted(members, key=lambda member: (members[member].user_data or member.encode(), member))
        # Numbers of one length sort as they count, by which the range assignor goes.
        numbered = {f"{number:08d}": members[member] for number, member in enumerate(ordered)}
        assigned = super().assign(cluster, numbered)
        return {
            member: ConsumerProtocolMemberAssignment(
                self.version, assigned[f"{number:08d}"].assignment, Place(number, len(ordered)).encode()
            )
            for number, member in enumerate(ordered)
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Keep the place; called before the assignment is told to anybody."""
        self.place = place_of(assignment.user_data)
