"""A worker of a next version, made of this one before anything else of it is imported.

An entry's and an engagement's state have one more field at their end, `handled`: how often they were written. Billing
events have one more on the wire, `prepared_by`. An older worker that wrote such state back would begin to count anew.
"""

from __future__ import annotations

from typing import Any

from billtide.codecs import billing, entry_state, records
from billtide.tables import table


class EntryState(entry_state.EntryState, array_like=True, gc=False):
    """As this version's, and how often it was written."""

    handled: int = 0


class EngagementState(records.EngagementState, array_like=True, gc=False):
    """As this version's, and how often it was written."""

    handled: int = 0


class BillingEvent(billing.BillingEvent, frozen=True, gc=False, omit_defaults=False):
    """As this version's, and which version has made it."""

    prepared_by: int = table.VERSION[0] + 1


entry_state.EntryState = EntryState  # type: ignore[misc]
records.EngagementState = EngagementState  # type: ignore[misc]
billing.BillingEvent = BillingEvent  # type: ignore[misc]
table.VERSION = bytes([table.VERSION[0] + 1])  # type: ignore[misc]
table.READABLE = table.READABLE | {table.VERSION[0]}  # type: ignore[misc]

from billtide.tables.entries import Entries  # noqa: E402 - after the shapes are the newer ones


def counting(put: Any) -> Any:
    """Count each writing of a value that has a count."""

    def counted(self: Any, key: bytes, value: Any) -> None:
        if hasattr(value, "handled"):
            value.handled += 1
        put(self, key, value)

    return counted


Entries.put = counting(Entries.put)  # type: ignore[method-assign]
table.Table.put = counting(table.Table.put)  # type: ignore[method-assign]
