"""Margin by practice and region in a reckoning: what people have earned by what is billed for them, and what they cost.

Which entries are billed may depend on the order, so what each is billed is taken from the events; the check of entries
says whether that is right. What no person has earned or cost is the engagement's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...codecs.engagement import Engagement
    from .reckoning import Expected
    from .reckoning_facts import EntryId

Row = tuple[int, int]
"""Minor units earned and cost."""


def margin_rows(
    terms: Engagement, expected: Expected, billed_entries: Mapping[EntryId, int]
) -> dict[tuple[str, str], Row]:
    """Rows by practice and region, without those of nothing; none where the terms do not tell them apart."""
    if terms.policies.margin == "total":
        return {}
    found: dict[tuple[str, str], Row] = {}
    for worth in expected.worths:
        earned, cost = found.get(worth.belongs_to, (0, 0))
        found[worth.belongs_to] = earned + billed_entries.get(worth.entry_id, 0), cost + worth.cost
    own = terms.practice, terms.region
    earned, cost = found.get(own, (0, 0))
    found[own] = (
        earned + expected.earned - sum(row[0] for row in found.values()),
        cost + expected.cost - sum(row[1] for row in found.values()),
    )
    return {key: row for key, row in found.items() if row != (0, 0)}
