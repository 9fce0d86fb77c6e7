"""Records of entries that an earlier version wrote, with fewer fields at the end."""

from __future__ import annotations

import msgspec

from billtide.codecs.entry_state import EntryVersion, Price

from .samples import CHANGELOG, VERSION

VERSION_FIELDS = 19
PRICE_FIELDS = 6


def test_a_version_from_before_billable_quantities_is_read() -> None:
    """It bills what was worked, as work of no special type."""
    earlier = msgspec.to_builtins(VERSION)[:VERSION_FIELDS]
    read = msgspec.convert(earlier, EntryVersion)

    assert (read.currency, read.billable_quantity, read.work_type) == ("", None, "")


def test_a_price_from_before_billed_quantities_is_read() -> None:
    """Its line shows the quantity of the version."""
    earlier = msgspec.to_builtins(CHANGELOG["entries"].price)[:PRICE_FIELDS]
    read = msgspec.convert(earlier, Price)

    assert (read.amount, read.quantity, read.unit, read.limited_by) == (90_450, None, "", "")
