"""The check of a peer's run: one charge an entry, and each engagement's last total is the sum of its entries."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from ..damage import Damage
from .charge import amount, identity

if TYPE_CHECKING:
    from collections.abc import Iterable


def wanted(entries: Iterable[Any]) -> Counter[str]:
    """How many charges of each id must come of these records: the load may bring an entry again."""
    return Counter(identity(msgspec.json.decode(record.value)) for record in entries)


def judged(entries: Iterable[Any], charges: Iterable[Any]) -> Damage:
    """Compare records of the input with committed records of the output, those of one engagement in their order."""
    damage, totals = Damage(), Counter[str]()
    entries = list(entries)
    for record in entries:
        entry = msgspec.json.decode(record.value)
        totals[entry["engagement_id"]] += amount(entry)
    events = [msgspec.json.decode(record.value) for record in charges]
    there, due = Counter(event["id"] for event in events), wanted(entries)
    for missing, count in (due - there).items():
        damage.lose(count, f"{missing}: {count} charges are missing")
    for doubled, count in (there - due).items():
        damage.double(count, f"{doubled}: {count} charges too many")
    for engagement, total in {event["engagement_id"]: event["total"] for event in events}.items():
        if total != totals[engagement]:
            damage.mistake(f"{engagement}: the last total is {total}, its entries come to {totals[engagement]}")
    return damage
