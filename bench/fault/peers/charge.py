"""What a peer decides of a time entry. Standard library only: a peer's environment need not have billtide."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

RATE: Final = 18_000
"""Minor units for one of an entry's quantity, whatever its unit."""


def identity(entry: dict[str, Any]) -> str:
    """The id of an entry's charge."""
    return f"{entry['source']}:{entry['id']}:{entry['revision']}"


def amount(entry: dict[str, Any]) -> int:
    """Minor units an entry is charged."""
    return int((Decimal(entry["quantity"]) * RATE).to_integral_value(ROUND_HALF_EVEN))


def charge(entry: dict[str, Any], total: int) -> dict[str, Any]:
    """The event of an entry. total: minor units of its engagement with it."""
    return {
        "id": identity(entry),
        "engagement_id": entry["engagement_id"],
        "amount": amount(entry),
        "total": total,
    }
