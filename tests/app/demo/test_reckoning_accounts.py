"""The independent reckoning of contracts that post nothing without account numbers, by hand-made cases."""

from __future__ import annotations

from typing import Final, get_args

import pytest

from billtide.codecs.journal import Account

from .test_reckoning import Sent, month, one, reckoned, sent, terms, time

WAITS: Final = {"policies": {"unmapped_account": "hold", "closed_period": "next_open_period"}}
MAPPED_SO: Final = {"legal_entity_id": "DE", "version": 1, "effective_from": "2026-01-01"}
MOVED: Final = (month(3, "closed"), month(4))


def lines(*lacking: str, **scope: str) -> list[dict[str, str]]:
    """A number for every account but some."""
    return [{"account": each, "number": f"N-{each}", **scope} for each in get_args(Account) if each not in lacking]


def account_map(*lacking: str, scope: dict[str, str] | None = None, **changes: object) -> Sent:
    """A map with all accounts but some; its key plays no part."""
    return sent("account-maps", **{**MAPPED_SO, "lines": lines(*lacking, **(scope or {})), **changes})


@pytest.mark.parametrize(
    "maps",
    [
        pytest.param((), id="no map"),
        pytest.param((account_map("revenue"),), id="no revenue"),
        pytest.param((account_map("payroll_allocation"),), id="no other side of the cost"),
        pytest.param((account_map(effective_from="2026-03-03"),), id="not yet in force"),
        pytest.param((account_map(effective_to="2026-03-01"),), id="in force no more"),
        pytest.param((account_map(), account_map("revenue", version=2)), id="the later version lacks one"),
        pytest.param((account_map(scope={"category": "rail"}),), id="for expenses alone"),
        pytest.param((account_map(scope={"contract_type": "capped"}),), id="for other contracts"),
        pytest.param((account_map(scope={"practice": "data"}),), id="for another practice"),
        pytest.param((account_map(legal_entity_id="FR"),), id="of another legal entity"),
    ],
)
def test_what_has_no_number_waits(maps: tuple[Sent, ...]) -> None:
    """Without a number of each account it may need on 2 March, nothing of the contract is posted."""
    assert reckoned(terms(**WAITS), *maps, time()).held == {"account_unmapped": 1}


@pytest.mark.parametrize(
    ("contract", "records"),
    [
        pytest.param(WAITS, (account_map("project_loss", "deferred_revenue"),), id="all it needs"),
        pytest.param(WAITS, (account_map("revenue"), account_map(version=2)), id="the later version has them"),
        pytest.param(WAITS, (account_map(effective_from="2026-04-01"), *MOVED), id="in force where it is posted"),
        pytest.param({}, (), id="posted by name"),
    ],
)
def test_what_has_numbers_is_posted(contract: dict[str, object], records: tuple[Sent, ...]) -> None:
    """With a number of each account it may need the hours are billed, 800 by name too."""
    assert one(terms(**contract), *records, time()).billed == 80_000


def test_a_version_has_one_content() -> None:
    """The first content of a version counts; other lines under its number are a dead letter."""
    again = account_map("revenue")
    assert reckoned(terms(**WAITS), account_map(), again, time()).dead_letters == 1
    assert reckoned(terms(**WAITS), account_map(), account_map(), time()).dead_letters == 0


def test_journals_bear_numbers_of_the_maps() -> None:
    """Those lines of a map that are for such a contract; of a contract that waits for none, any."""
    of_others = {"account": "revenue", "number": "4711", "practice": "data"}
    got = one(terms(**WAITS), account_map(lines=[*lines(), of_others]), time())

    assert got.bookable == {("DE", each, f"N-{each}") for each in get_args(Account)}
    assert one(time()).bookable is None
