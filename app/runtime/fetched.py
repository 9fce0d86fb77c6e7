"""What one fetch brought of a partition, and how far a partition is read."""

from __future__ import annotations

from typing import Any, NamedTuple


class Fetched(NamedTuple):
    """Records of one partition. begin: where the fetch before it ended, or the seek; end: where the next begins.

    epoch: that of the seek they come after. Offsets between records may be missing (markers, compaction); between
    slabs nothing is.
    """

    records: list[Any]
    begin: int
    end: int
    epoch: int


class Reached(NamedTuple):
    """position: next offset to be fetched, beyond markers and holes already passed.

    handed: where the last fetch that brought records ended, or the seek; epoch: that of the seek. Between handed and
    position there is no record, unless one is being handed over: then they are not the same a moment later.
    """

    position: int
    handed: int
    epoch: int
