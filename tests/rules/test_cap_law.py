"""The law of room under caps over generated histories: any caps at once, any order, and the reckoning's figures (M9).

Goal: what is billed of each entry, what is held and what is not charged follow from the records, not from their order.
Method: hypothesis makes entries, their corrections, invoices of some and revisions of the terms with caps of every kind, or
none; what a task leaves after any order of them is compared with the independent reckoning of the same records.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.agents import claims
from billtide.app.demo.reckoning import Expected, reckon

from .. import builders as records
from . import sums
from .histories import History, chances, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..builders import Object, Task
    from .histories import Step


@pytest.fixture(scope="module", autouse=True)
def short_blocks() -> Iterator[None]:
    """Claims in blocks of two, so that a few entries are in several of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "BLOCK_MAX", 2)
        yield


LAW = settings(max_examples=int(os.environ.get("BILLTIDE_TEST_EXAMPLES", "150")))
DAYS = ("2026-11-13", "2026-11-16", "2026-11-17", "2026-11-30", "2026-12-01")
NAMES = ("1", "2", "3", "4", "5", "6")

cap = st.fixed_dictionaries(
    {"amount": st.sampled_from(["0", "150", "400.01", "700", "1200"]), "mode": st.sampled_from(["split", "hold", "stop"])},
    optional={"tolerance": st.sampled_from(["0.01", "60"]), "includes_expenses": st.booleans()},
)  # fmt: skip
part = st.fixed_dictionaries(
    {},
    optional={
        "tasks": st.sampled_from([["T1"], ["T1", "T2"]]),
        "resources": st.just(["R1"]),
        "per": st.sampled_from(["day", "week", "month"]),
    },
)
parts = st.lists(st.tuples(cap, part), min_size=1, max_size=3).map(
    lambda found: [{"id": f"P{at}", **whole, **only} for at, (whole, only) in enumerate(found)]
)
caps = st.one_of(
    st.fixed_dictionaries({"cap": cap}), st.fixed_dictionaries({"caps": parts}), st.fixed_dictionaries({"cap": cap, "caps": parts})
)  # fmt: skip
SHARES = ({"percent": "33.3"}, {"percent": "66.7"}), ({"up_to": "200"}, {})
payers = st.sampled_from(SHARES).map(
    lambda shares: {"customers": [{"customer_id": f"C{at}", **share} for at, share in enumerate(shares, 1)]}
)
others = st.fixed_dictionaries(
    {},
    optional={
        "funding": payers,
        "policies": st.sampled_from([{"closed_period": "hold"}, {"rounding": "up", "accrue_at": "approval"}]),
        "rates": st.sampled_from([[{"rate": "85.55"}], [{"rate": "120", "role": "analyst"}]]),
    },
)
agreed = st.builds(
    lambda limits, besides: {"contract_type": "capped" if limits else "time_and_materials", **limits, **besides},
    st.one_of(caps, caps, st.just({})),
    others,
)
"""Terms with caps, or for once without."""


def _revisions(name: str) -> st.SearchStrategy[list[Object]]:
    one = st.fixed_dictionaries(
        {
            "work_date": st.sampled_from(DAYS),
            "quantity": st.sampled_from(["1", "1.5", "3", "4.333", "-0.5", "0"]),
            "status": st.sampled_from(["approved", "approved", "approved", "submitted", "deleted"]),
            "task_id": st.sampled_from(["T1", "T2", "T3"]),
        }
    )
    return st.lists(one, min_size=1, max_size=2).map(
        lambda found: [records.time_entry(id=name, revision=at, **changes) for at, changes in enumerate(found, 1)]
    )


def _spent(name: str) -> st.SearchStrategy[Object]:
    days, amounts = st.sampled_from(DAYS), st.sampled_from(["99.99", "250", "-40"])
    return st.builds(
        lambda day, amount: records.expense(id=name, spent_on=day, amount=amount, status="approved"), days, amounts
    )


def _invoiced(name: str) -> st.SearchStrategy[Object]:
    amounts = st.sampled_from(["30", "150", "1000", "-20"])
    line = st.builds(lambda amount: {"billing_id": f"psa:time:{name}:1:billing:0", "amount": amount}, amounts)
    return st.builds(lambda one: records.invoice(id=f"I{name}", number=name, lines=[one]), line)


def _history(
    found: list[Object],
    times: list[list[Object]],
    spent: list[Object],
    bills: list[Object],
    statuses: list[str],
    cards: int,
) -> History:
    terms = [records.engagement(revision=at, **each) for at, each in enumerate(found, 1)]
    streams = {
        "rate-cards": [records.rate_card(), records.rate_card(version=2, lines=[{"rate": "91"}])][:cards],
        "resources": [records.resource()],
        "periods": [records.year(status, revision=at) for at, status in enumerate([*statuses, "open"], 1)],
        "engagements": terms,
        "time-entries": [sent for each in times for sent in each],
        "expenses": spent,
        "invoices": bills,
    }
    return History(terms[-1], streams)


tight = st.builds(
    _history,
    st.one_of(
        st.lists(agreed, min_size=1, max_size=2),
        st.builds(lambda once, meanwhile: [once, meanwhile, once], agreed, agreed),
    ),
    st.tuples(*map(_revisions, NAMES)).map(list),
    st.lists(st.sampled_from(["7", "8"]), unique=True).flatmap(lambda names: st.tuples(*map(_spent, names)).map(list)),
    st.lists(st.sampled_from(NAMES), unique=True, max_size=3).flatmap(
        lambda names: st.tuples(*map(_invoiced, names)).map(list)
    ),
    st.lists(st.sampled_from(["open", "closed"]), max_size=2),
    st.integers(1, 2),
)


class Sent(NamedTuple):
    """A record as it stands in a topic."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def reckoned(history: History) -> Expected:
    """What the records must come to."""
    inputs = {
        stream: [Sent(b"E1" if "source" in one else b"", json.dumps(one).encode()) for one in sent]
        for stream, sent in history.streams.items()
    }
    return reckon(inputs).engagements["E1"]


def is_as_reckoned(task: Task, expected: Expected) -> None:
    """What is billed of each entry, what is held, what is not charged and how many wait."""
    billed: Counter[tuple[str, str]] = Counter()
    for line in task.out["billing"]:
        billed[line["kind"], line["entry_id"]] += sums.minor(line["amount"])
    wanted = {(entry.kind, entry.id): amount for entry, amount in expected.by_entry.items() if amount}
    assert {name: amount for name, amount in billed.items() if amount} == wanted
    shown = task.figures()
    found = [sums.minor(shown[what]) for what in ("billed", "held", "non_chargeable")]
    assert found == [expected.billed, expected.held, expected.non_chargeable]
    assert shown["held_entries"].get("cap_reached", 0) == expected.cap_reached


def always_true(task: Task, _: list[Step]) -> None:
    """What holds after every record, whoever has the room."""
    sums.ids_are_unique(task)
    sums.figures_are_sums(task)
    sums.holds_end_once(task)


@LAW
@given(tight, chances, st.integers(0, 4))
def test_any_order_under_any_caps_comes_to_what_is_reckoned(history: History, chance: Random, restart_every: int) -> None:  # fmt: skip
    """Of each entry the same is billed in every order, with crashes between the records (M1, M6, M7, M8, M9)."""
    steps = history.interleaved(chance)
    for stream in chance.sample(("engagements", "periods"), chance.randint(0, 2)):
        # Nothing after the last of them may mend what it leaves wrong.
        (*_, last) = (at for at, step in enumerate(steps) if step[0] == stream)
        steps.append(steps.pop(last))

    is_as_reckoned(play(steps, always_true, restart_every), reckoned(history))


@LAW
@given(tight, chances)
def test_slabs_of_any_cut_come_to_what_is_reckoned(history: History, chance: Random) -> None:
    """Records many to a transaction leave the same, and the same lines as one by one."""
    first = ("rate-cards", "resources", "periods", "engagements")
    steps = [(name, sent) for name in first for sent in history.streams[name]]
    slabs = play(steps)
    for name in ("time-entries", "expenses", "invoices"):
        sent = history.streams[name]
        steps += [(name, one) for one in sent]
        at = chance.randint(0, len(sent))
        for some in (sent[:at], sent[at:]):
            slabs.send(name, *some)

    is_as_reckoned(slabs, reckoned(history))
    assert slabs.out["billing"] == play(steps).out["billing"]
