"""Account numbers: which line of which version of a map is the most telling one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from billtide.agents.rules.accounts import NEEDED, Accounts
from billtide.agents.rules.ledger import ACCOUNTS, EARNED
from billtide.agents.rules.losses import LOST
from billtide.agents.rules.milestones import BILLED
from billtide.agents.rules.progress import RECOGNISED
from billtide.codecs import account_map as account_maps

from ..builders import account_map
from .builders import DAY, terms

if TYPE_CHECKING:
    from ..builders import Object


def accounts(*maps: Object, **changes: object) -> Accounts:
    """The numbers of a contract's accounts by these versions of the map."""
    read = [account_maps.parse(account_maps.decode(msgspec.json.encode(sent))) for sent in maps]
    return Accounts(read, terms(**changes))


def line(number: str, **scope: str) -> Object:
    """A line of the map for the cost of expenses."""
    return {"account": "project_expense", "number": number, **scope}


GENERAL, TRAVEL, CAPPED = line("1"), line("2", category="travel"), line("3", contract_type="capped")
CLOUD, BOTH = line("4", practice="cloud"), line("5", contract_type="capped", practice="cloud")
SCOPES: list[Any] = [
    pytest.param([GENERAL], "1", id="for all"),
    pytest.param([GENERAL, TRAVEL], "2", id="category before all"),
    pytest.param([GENERAL, CAPPED], "3", id="contract type before all"),
    pytest.param([GENERAL, CLOUD], "4", id="practice before all"),
    pytest.param([TRAVEL, CAPPED, CLOUD], "2", id="of one field each the category"),
    pytest.param([CAPPED, CLOUD], "3", id="then the contract type"),
    pytest.param([GENERAL, TRAVEL, BOTH], "5", id="two fields before one"),
    pytest.param([line("6", category="hotel"), line("7", contract_type="retainer"), line("8", practice="data")], "", id="for others"),
    pytest.param([], "", id="none"),
]  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("lines", "number"), SCOPES)
def test_the_most_telling_line_wins(lines: list[Object], number: str, turned: bool) -> None:  # noqa: FBT001 - parametrised
    """Whatever the order of the lines, of an expense for travel on a capped engagement of the cloud practice."""
    known = accounts(
        account_map(*(lines[::-1] if turned else lines)),
        contract_type="capped",
        cap={"amount": "1"},
        practice="cloud",
    )

    assert known.numbers("project_expense", "employee_payable", "travel", DAY) == ((number, "") if number else ())


@pytest.mark.parametrize(
    ("date", "number"),
    [
        pytest.param("2025-12-31", (), id="before the first version"),
        pytest.param("2026-01-01", ("1", ""), id="from its first day on"),
        pytest.param("2026-06-30", ("1", ""), id="until the next"),
        pytest.param("2026-07-01", ("3", ""), id="of two with one date the higher version"),
        pytest.param("2026-12-31", ("3", ""), id="through the last day"),
        pytest.param("2027-01-01", (), id="an older version does not come back"),
    ],
)
def test_the_version_in_force_on_the_accounting_date_counts(date: str, number: tuple[str, ...]) -> None:
    """By date, then by version, in whatever order they came; what is sent last for an earlier date ends there."""
    known = accounts(
        account_map(line("3"), version=3, effective_from="2026-07-01", effective_to="2026-12-31"),
        account_map(line("1")),
        account_map(line("2"), version=2, effective_from="2026-07-01"),
        account_map(line("1"), version=4, effective_from="2026-03-01"),
    )

    assert known.numbers("project_expense", "employee_payable", "", dt.date.fromisoformat(date)) == number


def test_what_a_contract_needs_are_the_accounts_it_posts_to() -> None:
    """No account of a posting is forgotten, so that `hold` lets nothing through by name."""
    entries, terms_of_fees = {a for pair in (*ACCOUNTS.values(), EARNED) for a in pair}, {*BILLED, *RECOGNISED, *LOST}

    assert set(NEEDED["time_and_materials"]) == set(NEEDED["capped"]) == entries
    assert set(NEEDED["retainer"]) == entries | {"deferred_revenue"}
    assert set(NEEDED["fixed_fee"]) == entries | terms_of_fees
    assert set(NEEDED["subscription"]) == entries | {"deferred_revenue", "contract_asset"}
    assert {a for (kind, _), pair in ACCOUNTS.items() for a in pair if kind == "cost"} == set(NEEDED["internal"])
