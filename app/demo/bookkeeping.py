"""Account maps of the firm's legal entities, some of which arrive late, and the contracts that wait for them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from ...codecs.account_map import AccountLine, AccountMap
from ...codecs.journal import Account

if TYPE_CHECKING:
    from ...codecs.engagement import Policies

MAPPED: Final = {
    20: "US-INC", 33: "JP-KK", 36: "DE-GMBH", 59: "FR-SAS", 73: "CH-AG", 75: "GB-LTD", 93: "US-INC", 99: "CH-AG",
    105: "US-INC", 115: "FR-SAS",
}  # fmt: skip
"""Engagements, by number, that post nothing without the number of each account, with their legal entities."""
KNOWN: Final = ("DE-GMBH",)
"""Legal entities whose map is there from the start."""
LATE: Final = ("FR-SAS", "US-INC")
"""Legal entities whose map arrives after the week."""
COMPLETED: Final = ("GB-LTD", "CH-AG")
"""Legal entities whose first map lacks accounts; the second one, after the week, has them."""
UNMAPPED: Final = "JP-KK"
"""The legal entity whose map lacks an account for ever."""
_ACCOUNTS: Final[tuple[Account, ...]] = get_args(Account)
_LACKING: Final[dict[str, tuple[Account, ...]]] = {
    "GB-LTD": ("revenue",),
    "CH-AG": ("contract_asset", "deferred_revenue"),
    UNMAPPED: ("project_cost",),
}
_FROM: Final = dt.date(2025, 1, 1)


def booked(number: int, agreed: Policies) -> Policies:
    """The policies of the engagement with this number, with what it does about accounts without a number."""
    return msgspec.structs.replace(agreed, unmapped_account="hold") if number in MAPPED else agreed


def account_maps() -> tuple[list[AccountMap], list[AccountMap]]:
    """Maps as master data, and those that arrive after the week."""
    known = [_map(entity, 1, _LACKING.get(entity, ())) for entity in (*KNOWN, *COMPLETED, UNMAPPED)]
    late = [_map(entity, 1, ()) for entity in LATE]
    return known, [*late, *(_map(entity, 2, ()) for entity in COMPLETED)]


def _map(entity: str, version: int, lacking: tuple[Account, ...]) -> AccountMap:
    """A number for every account but some; more telling ones for costs of travel, a practice and a contract type."""
    lines = [
        AccountLine(account=account, number=f"{version}{at:02}0")
        for at, account in enumerate(_ACCOUNTS)
        if account not in lacking
    ]
    lines += [
        AccountLine(account="project_expense", number="6650", category="flight"),
        AccountLine(account="work_in_progress", number="1415", practice="data"),
        AccountLine(account="payroll_allocation", number="4990", contract_type="fixed_fee"),
    ]
    return AccountMap(legal_entity_id=entity, version=version, effective_from=_FROM, lines=tuple(lines))
