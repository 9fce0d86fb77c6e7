"""The law of money over generated histories priced by tiers, dated discounts, caps that stop and sums rounded by invoice.

Two orders in which the same streams meet, with crashes in one of them, must leave the same figures (M9); and after every
record journals balance, ids are unique and figures are sums (M2, M3, M4, M7).
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ..builders import engagement
from . import sums
from .histories import AGREED, History, chances, histories, play

if TYPE_CHECKING:
    from ..builders import Object, Task
    from .histories import Step

LAW = settings(
    max_examples=int(os.environ.get("BILLTIDE_TEST_EXAMPLES", "100")),
)
FIGURES = (
    "submitted_time", "approved_time", "approved_value", "billed", "unbilled", "held", "non_chargeable", "earned", "cost", "rounded",
)  # fmt: skip

tiers = st.fixed_dictionaries(
    {"tiers": st.sampled_from([[{"above": "4", "rate": "90"}], [{"above": "3", "rate": "97.13"}, {"above": "11", "rate": "50"}]])},
    optional={
        "applies": st.just("whole_volume"),
        "measure": st.just("amount"),
        "pool": st.just("all"),
        "over": st.just("month"),
    },
)  # fmt: skip
rates = st.tuples(tiers, tiers).map(
    lambda two: [
        {"role": "analyst", "rate": "99.97", "volume_tiers": two[0]},
        {"role": "partner", "rate": "1043.21", "unit": "day", "volume_tiers": two[1]},
    ]
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "rates": rates,
        "discounts": st.just([{"percent": "12.5", "effective_from": "2026-11-01"}]),
        "expenses": st.just(AGREED),
        "policies": st.fixed_dictionaries(
            {},
            optional={
                "rounding": st.sampled_from(["half_even", "up", "down"]),
                "rounding_place": st.just("invoice"),
                "accrue_at": st.just("approval"),
                "approval_levels": st.just(["manager"]),
                "time_rounding": st.just({"unit_minutes": 20, "mode": "up"}),
            },
        ),
    },
)


def _capped(agreed: Object, amount: str, modes: tuple[str, str]) -> Object:
    """The same under two caps; under caps each line is rounded by itself."""
    policies = {name: value for name, value in agreed.get("policies", {}).items() if name != "rounding_place"}
    whole, part = modes
    caps = [{"id": "part", "amount": "450.55", "mode": part}]
    return {**agreed, "policies": policies, "contract_type": "capped", "cap": {"amount": amount, "mode": whole}, "caps": caps}  # fmt: skip


free = changes.map(lambda agreed: engagement(**agreed))
one_cap = st.builds(
    lambda agreed, amount, mode: engagement(**{**_capped(agreed, amount, (mode, mode)), "caps": []}),
    changes,
    st.sampled_from(["0", "333.33", "1500"]),
    st.sampled_from(["split", "stop"]),
)
two_caps = st.builds(
    lambda agreed, amount, modes: engagement(**_capped(agreed, amount, modes)),
    changes,
    st.sampled_from(["0", "333.33", "1500"]),
    st.tuples(st.sampled_from(["split", "stop"]), st.sampled_from(["split", "stop"])),
)


def figures(task: Task) -> dict[str, int]:
    """The money and hours of the engagement."""
    state = task.state.engagements.get(task.state.engagements.key("E1"))
    assert state is not None
    return {name: getattr(state, name) for name in FIGURES}


def always_true(task: Task, _: list[Step]) -> None:
    """What holds after every single record."""
    sums.journals_balance(task)
    sums.ids_are_unique(task)
    sums.holds_end_once(task)
    sums.figures_are_sums(task)


def changed(history: History, later: Object) -> History:
    """The history with a second revision of its terms."""
    terms = engagement(**later, revision=2)
    return History(terms, {**history.streams, "engagements": [history.terms, terms]})


@LAW
@given(histories(free | one_cap, entries=4), changes, chances, chances, st.integers(0, 4))
def test_any_order_prices_the_same(
    history: History, later: Object, chance: Random, other: Random, restart: int
) -> None:
    """Tiers, discounts, caps and the place of rounding may change in between, too."""
    changing = changed(history, later) if chance.random() < 1 / 2 else history
    one = play(changing.interleaved(chance), always_true, restart)

    assert figures(one) == figures(play(changing.interleaved(other)))


@LAW
@given(histories(one_cap, entries=4), one_cap, chances, chances)
def test_a_cap_may_change_its_mode(history: History, later: Object, chance: Random, other: Random) -> None:
    """Stop, split, higher and lower: what the last terms say stands, whenever they came (M6, M7)."""
    changing = History(later, {**history.streams, "engagements": [history.terms, {**later, "revision": 2}]})

    assert figures(play(changing.interleaved(chance), always_true)) == figures(play(changing.interleaved(other)))


@LAW
@given(histories(two_caps, entries=4), chances)
def test_no_cap_is_exceeded_on_the_way(history: History, chance: Random) -> None:
    """Two caps of any modes: after every record at most the lower of both is billed, and the parts add up (M6, M7)."""
    cap = sums.minor(history.terms["cap"]["amount"])

    def inside(task: Task, steps: list[Step]) -> None:
        always_true(task, steps)
        assert sums.billed(task) <= min(cap, 45_055)

    play(history.interleaved(chance), inside)
