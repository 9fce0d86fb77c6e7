"""The independent reckoning of several customers who pay together, by hand-made cases."""

from __future__ import annotations

import pytest

from .test_reckoning import one, reckoned, terms, time

THIRDS = [{"customer_id": "C-1", "percent": "33.3333"}, {"customer_id": "C-2", "percent": "66.6667"}]
IN_ORDER = [{"customer_id": "C-2", "up_to": "100"}, {"customer_id": "C-3", "up_to": "200"}, {"customer_id": "C-1"}]


@pytest.mark.parametrize(
    ("funding", "hours", "paid"),
    [
        pytest.param({"customers": THIRDS}, ("1", "1"), {"C-1": 6_668, "C-2": 13_332}, id="C-1 pays the rest, 33.34"),
        pytest.param({"customers": THIRDS, "rounding_customer_id": "C-2"}, ("1", "1"), {"C-1": 6_666, "C-2": 13_334}, id="C-2 does, 66.67"),
        pytest.param({"customers": THIRDS}, ("1", "-1"), {}, id="a credit is split alike"),
        pytest.param({"customers": IN_ORDER}, ("0.5", "0.25"), {"C-2": 7_500}, id="below the first amount"),
        pytest.param({"customers": IN_ORDER}, ("2.5", "3"), {"C-1": 25_000, "C-2": 10_000, "C-3": 20_000}, id="all three"),
    ],
)  # fmt: skip
def test_shares(funding: dict[str, object], hours: tuple[str, str], paid: dict[str, int]) -> None:
    """Two entries at 100 an hour, each split by itself by percent, together in order."""
    first, second = hours
    assert one(terms(funding=funding), time(quantity=first), time(id="T-2", quantity=second)).funded == paid


@pytest.mark.parametrize(
    "customers",
    [
        pytest.param([THIRDS[0]], id="not a hundred percent"),
        pytest.param([THIRDS[1], {**THIRDS[0], "customer_id": "C-3"}], id="nobody pays the rest"),
        pytest.param(IN_ORDER[:2], id="nobody pays what is left"),
        pytest.param([IN_ORDER[0], IN_ORDER[0], IN_ORDER[2]], id="a customer twice"),
    ],
)
def test_terms_nobody_can_mean(customers: list[dict[str, str]]) -> None:
    """They count as undecodable."""
    assert reckoned(terms(funding={"customers": customers})).dead_letters == 1
