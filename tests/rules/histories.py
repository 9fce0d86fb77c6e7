"""Histories: what senders may send about one engagement, and every order in which its streams may meet.

Within a stream the order of records is given; between streams it is not. A history therefore keeps a list for each
stream, and an interleaving is a merge of them. Revisions and decisions come again, late and out of order.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from .. import builders as records

if TYPE_CHECKING:
    from collections.abc import Callable

STATUSES = ("submitted", "submitted", "submitted", "approved", "draft", "rejected", "recalled", "deleted")
VERDICTS = ("approved", "approved", "rejected", "recalled")
Step = tuple[str, records.Object]
Changes = dict[str, records.Object]
"""What changes of the terms (`engagements`) and of reference data, by stream."""


class History(NamedTuple):
    """Terms of one engagement and the records of every stream, each in its own order."""

    terms: records.Object
    streams: dict[str, list[records.Object]]

    def interleaved(self, chance: Random) -> list[Step]:
        """One order in which all streams may meet."""
        turns = [name for name, sent in self.streams.items() for _ in sent]
        chance.shuffle(turns)
        left = {name: iter(sent) for name, sent in self.streams.items()}
        return [(name, next(left[name])) for name in turns]

    def changed(self, changes: Changes) -> History:
        """The same, and a later record of each stream that changes; terms keep what they do not change."""
        terms = {**self.terms, "revision": 2, **changes.get("engagements", {})}
        later = {**changes, "engagements": terms}
        return History(
            terms, {name: [*sent, *([later[name]] if name in later else [])] for name, sent in self.streams.items()}
        )

    def in_order(self) -> list[Step]:
        """Reference data first, then the terms, then the rest stream by stream."""
        first = (*records.REFERENCES, "engagements")
        rest = [name for name in self.streams if name not in first]
        return [(name, sent) for name in (*first, *rest) for sent in self.streams.get(name, ())]


def deliver(task: records.Task, step: Step) -> None:
    """Hand one record over in a transaction of its own."""
    name, sent = step
    if name in records.REFERENCES:
        task.refer(name, sent)
    else:
        task.send(name, sent)


def play(
    steps: list[Step], after: Callable[[records.Task, list[Step]], None] | None = None, restart_every: int = 0
) -> records.Task:
    """Deliver steps to a new task, which may crash now and then; `after` sees it after each of them."""
    task = records.Task()
    for count, step in enumerate(steps, start=1):
        deliver(task, step)
        if restart_every and count % restart_every == 0:
            task.restart()
        if after is not None:
            after(task, steps[:count])
    return task


def references(dollar_costs: bool) -> dict[str, list[records.Object]]:  # noqa: FBT001
    """Reference data that lets everything be priced."""
    costs = [{"rate": "61.37", "currency": "USD" if dollar_costs else "EUR"}]
    days = {"valid_from": "2026-01-01", "valid_to": "2026-12-31", "rate": "0.913"}
    return {
        "rate-cards": [records.rate_card(lines=[{"role": "analyst", "rate": "99.97"}, {"rate": "1043.21", "unit": "day", "role": "partner"}])],
        "resources": [records.resource(cost_rates=costs)],
        "fx-rates": [records.fx_rate(**days)],
        "periods": [records.year(), records.year(legal_entity_id="AT")],
    }  # fmt: skip


PARTS = {"tax_amount": "19", "tax_recoverable": True, "personal_amount": "10.01"}
HOTEL, MINIBAR = {"category": "hotel", "amount": "250"}, {"category": "minibar", "amount": "12.34"}
DRIVE = {"category": "mileage", "amount": "5", "personal_amount": "1", "quantity": "12.55", "unit": "kilometre"}
SPENT: list[records.Object] = [
    {"amount": "0"},
    {"amount": "12.34"},
    {"amount": "119", **PARTS},
    HOTEL,
    MINIBAR,
    DRIVE,
    {"amount": None, "items": [HOTEL | PARTS, MINIBAR, DRIVE, {"category": "travel", "amount": "0.33"}]},
]
AGREED = {
    "policy": "mark_up",
    "mark_up_percent": "7.5",
    "categories": [
        {"category": "hotel", "line_cap": "150.50", "receipt_above": "200"},
        {"category": "minibar", "policy": "non_billable"},
        {"category": "mileage", "policy": "unit_price", "unit_price": "0.427", "unit": "kilometre"},
    ],
}
expense_terms = st.sampled_from([{}, AGREED])
policies = st.fixed_dictionaries(
    {},
    optional={
        "rounding": st.sampled_from(["half_up", "half_even", "up", "down"]),
        "accrue_at": st.sampled_from(["submission", "approval"]),
        "approval_levels": st.sampled_from([["manager"], ["manager", "finance"]]),
        "hours_per_day": st.sampled_from(["7.5", "8"]),
        "time_rounding": st.just({"unit_minutes": 20, "mode": "up", "minimum_minutes": 30}),
        "day_rounding": st.just("half_day"),
        "multipliers": st.just({"by_work_type": {"overtime": "1.15"}, "weekend": "1.5"}),
    },
)
quantities = st.sampled_from(["0", "0.25", "1", "3.333", "7.5", "8"])
time_and_materials = st.builds(lambda p, e: records.engagement(policies=p, expenses=e), policies, expense_terms)
caps = st.builds(
    lambda p, e, cap, mode: records.engagement(
        contract_type="capped", cap={"amount": cap, "mode": mode}, policies=p, expenses=e
    ),
    policies,
    expense_terms,
    st.sampled_from(["0", "100", "333.33", "1000", "9999"]),
    st.sampled_from(["split", "stop"]),
)
fixed_fees = st.builds(
    lambda p, e, fee, cost: records.engagement(
        contract_type="fixed_fee", fee={"amount": fee, "estimated_cost": cost}, policies=p, expenses=e
    ),
    policies,
    expense_terms,
    st.sampled_from(["1000", "9999.99"]),
    st.sampled_from(["700", "1234.56", "5000"]),
)


late_changes: st.SearchStrategy[Changes] = st.fixed_dictionaries(
    {},
    optional={
        "engagements": st.fixed_dictionaries(
            {},
            optional={
                "rates": st.sampled_from([[{"rate": "95"}], [{"rate": "111.11", "role": "analyst"}]]),
                "policies": policies,
                "expenses": st.sampled_from(
                    [{"policy": "mark_up", "mark_up_percent": "7.5"}, {"policy": "non_billable"}, AGREED]
                ),
                "contract_type": st.just("non_billable"),
                "legal_entity_id": st.just("AT"),
                "customer_id": st.just("C2"),
            },
        ),
        "rate-cards": st.sampled_from(["130", "0"]).map(
            lambda rate: records.rate_card(version=2, lines=[{"rate": rate}])
        ),
        "resources": st.sampled_from(["EUR", "USD"]).map(
            lambda currency: records.resource(
                revision=2, role="partner", cost_rates=[{"rate": "55.5", "currency": currency}]
            )
        ),
        "fx-rates": st.just(records.fx_rate(valid_from="2026-01-01", valid_to="2026-12-31", rate="0.8", revision=2)),
    },
)


def _versions(entry: str, count: int) -> st.SearchStrategy[list[records.Object]]:
    one = st.fixed_dictionaries(
        {
            "quantity": quantities,
            "unit": st.sampled_from(["hour", "hour", "day", "minute"]),
            "status": st.sampled_from(STATUSES),
            "billable": st.sampled_from([True, True, True, False]),
            "role": st.sampled_from(["analyst", "partner"]),
        },
        optional={
            "rate": st.sampled_from(["80", "120.125"]),
            "billable_quantity": quantities,
            "work_type": st.sampled_from(["overtime", "travel"]),
        },
    )
    return st.lists(one, min_size=1, max_size=count).map(
        lambda found: [records.time_entry(id=entry, revision=at, **changes) for at, changes in enumerate(found, 1)]
    )


def _expenses(entry: str) -> st.SearchStrategy[list[records.Object]]:
    one = st.fixed_dictionaries(
        {
            "currency": st.sampled_from(["EUR", "USD"]),
            "status": st.sampled_from(STATUSES),
            "billable": st.booleans(),
            "receipt": st.booleans(),
        }
    )
    return st.lists(st.tuples(one, st.sampled_from(SPENT)), max_size=3).map(
        lambda found: [
            records.expense(id=entry, revision=at, **changes, **spent) for at, (changes, spent) in enumerate(found, 1)
        ]
    )


def _decisions(entry_type: str, entries: list[str], revisions: int) -> st.SearchStrategy[list[records.Object]]:
    """Decisions in the order they were made: later ones have higher sequences, so that minds change back and forth."""
    one = st.tuples(
        st.sampled_from(entries),
        st.integers(1, revisions),
        st.sampled_from(["manager", "manager", "finance"]),
        st.sampled_from(VERDICTS),
    )
    return st.lists(one, max_size=3 + 3 * len(entries)).map(
        lambda made: [
            records.approval(
                entry_type=entry_type,
                entry_id=entry,
                entry_revision=revision,
                level=level,
                sequence=at,
                verdict=verdict,
            )
            for at, (entry, revision, level, verdict) in enumerate(made, 1)
        ]
    )


@st.composite
def histories(
    draw: st.DrawFn, terms: st.SearchStrategy[records.Object], entries: int = 3, revisions: int = 3
) -> History:
    """Anything that may be sent about one engagement: revisions and decisions again, late, and in any order."""
    agreed = draw(terms)
    names = [str(at) for at in range(1, draw(st.integers(1, entries)) + 1)]
    known = [version for name in names for version in draw(_versions(name, revisions))]
    again = draw(st.lists(st.sampled_from(known), max_size=3))
    spent = draw(_expenses("1"))
    decided = draw(_decisions("time", names, revisions)) + (draw(_decisions("expense", ["1"], 3)) if spent else [])
    chance = Random(draw(st.integers(0, 2**16)))
    if draw(st.booleans()):  # otherwise each sender keeps its order
        chance.shuffle(known)
        chance.shuffle(decided)
        decided += decided[:2]
    streams = {
        "time-entries": known + again,
        "expenses": spent,
        "approvals": decided,
        "engagements": [agreed],
        **references(draw(st.booleans())),
    }
    return History(agreed, streams)


chances = st.builds(Random, st.integers(0, 2**32))
any_history = histories(time_and_materials | caps | fixed_fees)
