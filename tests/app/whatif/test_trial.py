"""A trial tells what would happen: the figures and events that come when the change is really sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from billtide.app.refusal import RefusedError
from billtide.app.runtime.outgoing import partition_of
from billtide.app.whatif.present import REFERENCES, caught_up
from billtide.app.whatif.reckoning import MEASURES, totals
from billtide.app.whatif.trial import Trial
from billtide.codecs.records import Cursor

from ...builders import assignment, capped, engagement, fixed_fee, fx_rate, rate_card, resource
from .firm import FIRM, PARTITIONS, Row, changes, restored, tasks, tried

if TYPE_CHECKING:
    from billtide.app.memory import Memory, Read

CARD: Row = ("rate-cards", rate_card(version=2, lines=[{"role": "analyst", "rate": "110"}]))
FX: Row = ("fx-rates", fx_rate(revision=2, rate="1"))
COST: Row = ("resources", resource(revision=2, cost_rates=[{"rate": "55", "currency": "EUR"}]))
CAP: Row = ("engagements", capped("1500", id="E2", revision=2))
NEW_TERMS: Row = ("engagements", engagement(id="E9"))


def change_of(trial: Trial, name: str, *measures: str) -> tuple[str | None, ...]:
    """By how much measures of an engagement move."""
    one = next(one for one in trial.moved if one.name == name)
    return tuple(one.text(one.change(measure)) for measure in measures)


@pytest.mark.parametrize(
    ("row", "name", "moves"),
    [
        # E1 bills 16 hours of analysts: + 160. Its submitted 8 hours: + 80 of work in progress.
        pytest.param(CARD, "E1", {"billed": "160.00", "unbilled": "80.00", "earned": "160.00", "margin": "160.00"}, id="rate-card"),
        # E2 has no room: of 1,760 worth 1,000 stay billed.
        pytest.param(CARD, "E2", {"approved_value": "160.00", "billed": "0.00", "held": "160.00", "margin": "0.00"}, id="rate-card-under-a-cap"),
        # 480 USD of R2 cost 48 EUR more, 200 USD of travel 20 more, which the customer pays.
        pytest.param(FX, "E1", {"billed": "20.00", "cost": "68.00", "margin": "-48.00"}, id="exchange-rate"),
        # A fixed fee of 1,000,000 for 700,000 of cost earns 68.57 of 48 more.
        pytest.param(FX, "E3", {"billed": "0.00", "earned": "68.57", "cost": "48.00", "margin": "20.57"}, id="exchange-rate-of-a-fixed-fee"),
        pytest.param(COST, "E1", {"billed": "0.00", "cost": "80.00", "margin": "-80.00"}, id="cost-rate"),
        pytest.param(CAP, "E2", {"billed": "500.00", "held": "-500.00", "margin": "500.00"}, id="raised-cap"),
        pytest.param(("engagements", capped("500", id="E2", revision=2)), "E2", {"billed": "-500.00", "held": "500.00", "margin": "-500.00"}, id="lowered-cap"),
        pytest.param(NEW_TERMS, "E9", {"billed": "800.00", "cost": "400.00", "margin": "400.00"}, id="terms-that-were-unknown"),
    ],
)  # fmt: skip
def test_a_change_moves_what_the_rules_make_of_it(row: Row, name: str, moves: dict[str, str]) -> None:
    """Figures by hand, from the firm's few entries."""
    assert change_of(tried(row), name, *moves) == tuple(moves.values())


def test_events_are_counted_by_action_and_amount() -> None:
    """A new card reverses and charges E1's two entries and the two under the cap of E2."""
    one = next(one for one in tried(CARD).moved if one.name == "E1")

    assert one.as_object()["events"] == {
        "billing": {
            "count": 4,
            "charge": {"count": 2, "amount": "1760.00"},
            "reversal": {"count": 2, "amount": "-1600.00"},
        },
        "accruals": 2,
        "revenue": 4,
    }


def test_held_entries_are_told_before_and_after() -> None:
    """A cap with room for all lets the entry go that waited for it; terms without rates hold what stood."""
    room, terms = (
        ("engagements", capped("1600", id="E2", revision=2)),
        ("engagements", engagement(id="E9", currency="GBP")),
    )
    held = {one.name: (dict(one.held_before), dict(one.held_after)) for one in tried(room, terms).moved}

    assert held == {"E2": ({"cap_reached": 1}, {}), "E9": ({"engagement_unknown": 1}, {"fx_rate_missing": 1})}


def test_only_what_moves_is_told_and_summed_by_currency() -> None:
    """A card in euros leaves the engagement in dollars alone; each currency has its own sum of what moves."""
    trial = tried(CARD, FX, COST, ("fx-rates", fx_rate(base="EUR", quote="USD")))
    sums = {one.currency: one for one in totals(trial.moved)}

    assert {one.name for one in tried(CARD).moved} == {"E1", "E2"}
    assert tried(("engagements", engagement(revision=2, name="Another name"))).moved == []
    assert trial.engagements == 5
    assert trial.entries == 9
    assert set(sums) == {"EUR"}
    assert sums["EUR"].engagements == 3
    for measure in MEASURES:
        parts = [one.change(measure) for one in trial.moved]
        assert sums["EUR"].change(measure) == (None if None in parts else sum(part or 0 for part in parts))


def test_what_is_unknown_in_one_engagement_is_unknown_in_the_sum() -> None:
    """A plan nobody can cost makes the planned cost of all of them unknown, never zero."""
    trial = tried(CARD, there=tasks(("assignments", assignment(resource_id="nobody"))))

    assert change_of(trial, "E1", "planned_cost") == (None,)
    assert [one.change("planned_cost") for one in totals(trial.moved)] == [None]


def test_a_plan_is_costed_anew() -> None:
    """20 planned hours at 5 EUR more cost 100 EUR more."""
    there = tasks(("assignments", assignment()))

    assert change_of(tried(COST, there=there), "E1", "planned_cost") == ("100.00",)


def test_asked_for_one_engagement_the_others_stay_as_they_are() -> None:
    """Only the tasks that have what is asked for are wanted, only its entries are settled; unknown ids are not found."""
    there = tasks()
    before = {key: raw for task in there for key, raw in task.state.entries.bytes.items()}
    trial = tried(CARD, only=("E2", "E404"), there=there)
    after = {key: raw for task in there for key, raw in task.state.entries.bytes.items()}

    assert [one.name for one in trial.moved] == ["E2"]
    assert trial.found == {"E2"}
    assert {key.split(b"\x1f")[2] for key in before if before[key] != after[key]} == {b"E2"}
    assert trial.partitions == sorted({partition_of(name, PARTITIONS) for name in (b"E2", b"E404")})


def test_new_terms_alone_concern_the_tasks_of_their_engagements() -> None:
    """What is not read need not be restored; reference data may concern every task."""
    assert Trial(changes(CAP), PARTITIONS).partitions == [partition_of(b"E2", PARTITIONS)]
    assert Trial(changes(CAP, CARD), PARTITIONS).partitions == list(range(PARTITIONS))


def test_what_is_known_already_has_no_effect_and_says_so() -> None:
    """The same version, an equal or a lower revision change nothing; one that counts is not among them."""
    idle = [("rate-cards", rate_card()), ("fx-rates", fx_rate(rate="2")), ("engagements", engagement(name="New"))]
    trial = tried(*idle, COST)

    assert [one.place for one in trial.without_effect] == ["item 1", "item 2", "item 3"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param(("engagements", engagement(revision=2, currency="USD")), "item 1, $.currency: it was EUR", id="currency"),
        pytest.param(("rate-cards", rate_card(lines=[{"role": "analyst", "rate": "9"}])), "item 1, $.version: version 1 of 'std' was already sent", id="version"),
    ],
)  # fmt: skip
def test_what_the_present_state_refuses_is_refused(row: Row, said: str) -> None:
    """A change that workers would put aside as a dead letter is an error with its place, never a change of nothing."""
    with pytest.raises(RefusedError, match=said.replace("$", r"\$").replace(".", r"\.")):
        tried(row)


RATES = st.integers(1, 400).map(str)
ROWS = st.one_of(
    RATES.map(lambda rate: ("rate-cards", rate_card(version=2, lines=[{"role": "analyst", "rate": rate}]))),
    RATES.map(lambda rate: ("fx-rates", fx_rate(revision=2, rate=f"0.{rate}"))),
    RATES.map(lambda rate: ("resources", resource(revision=2, cost_rates=[{"rate": rate, "currency": "EUR"}]))),
    RATES.map(lambda cap: ("engagements", capped(f"{cap}0", id="E2", revision=2))),
    RATES.map(lambda cost: ("engagements", fixed_fee(id="E3", revision=2, discount_percent="1", planned_revenue=cost))),
    RATES.map(lambda rate: ("engagements", engagement(revision=2, rates=[{"rate": rate, "effective_from": "2026-11-20"}]))),
)  # fmt: skip


def sent(rows: list[Row]) -> tuple[dict[str, dict[str, Any]], Counter[tuple[str, str]]]:
    """What really comes of rows that are sent after the firm's: latest figures, and billing events by action."""
    figures: dict[str, dict[str, Any]] = {}
    billing: Counter[tuple[str, str]] = Counter()
    there = tasks(*rows)
    old = Counter((task.partition, stream) for task in tasks() for stream, left in task.left.items() for _ in left)
    for task in there:
        for record in task.left["engagement-figures"]:
            one = msgspec.json.decode(record.value or b"")
            figures[one["engagement_id"]] = one
        for record in task.left["billing"][old[task.partition, "billing"] :]:
            one = msgspec.json.decode(record.value or b"")
            billing[one["engagement_id"], one["action"]] += 1
    return figures, billing


@settings(max_examples=40)
@examples(rows=st.lists(ROWS, min_size=1, max_size=4, unique_by=lambda row: (row[0], row[1].get("id", ""))))
def test_what_is_told_is_what_happens(rows: list[Row]) -> None:
    """For any changes: the figures after the trial are those of really sending them, and so are the events."""
    # A trial takes reference data first; sent in the same order the events are the same too.
    rows = sorted(rows, key=lambda row: row[0] not in REFERENCES)
    trial = tried(*rows)
    figures, billing = sent(rows)
    told: Counter[tuple[str, str]] = Counter()
    for one in trial.moved:
        told.update({(one.name, action): count for action, count in one.events.billing.items()})
        assert {measure: one.text(one.after[measure]) for measure in MEASURES} == {
            measure: figures[one.name].get(measure) for measure in MEASURES
        }
        assert dict(one.held_after) == figures[one.name]["held_entries"]
    for name in figures.keys() - {one.name for one in trial.moved}:
        unmoved = next(f for task in tasks() for f in _figures(task) if f["engagement_id"] == name)
        assert {m: unmoved.get(m) for m in MEASURES} == {m: figures[name].get(m) for m in MEASURES}
    assert told == billing


def _figures(task: Memory) -> list[dict[str, Any]]:
    return [msgspec.json.decode(record.value or b"") for record in reversed(task.left["engagement-figures"])]


def test_what_a_worker_has_yet_to_do_is_not_the_changes_doing() -> None:
    """Reference data the state has not reacted to is reacted to first: the trial of a cost shows the cost alone."""
    task = next(
        task for task in tasks() if any(key.startswith(b"etime\x1fpsa\x1fE1") for key in task.state.entries.bytes)
    )
    known: dict[str, list[Read]] = defaultdict(list)
    for change in changes(*[row for row in FIRM if row[0] in REFERENCES], CARD):
        known[change.stream].append(change.record._replace(offset=len(known[change.stream])))
    state = restored(task)
    for stream in REFERENCES:  # the last record of rate-cards, the new version, is not reacted to
        reacted = Cursor(1 if stream == "rate-cards" else len(known[stream]))
        state.cursors.put(state.cursors.key(stream), reacted)
    behind = caught_up(task.partition, state, known)
    trial = Trial(changes(COST), PARTITIONS)
    trial.run(behind, trial.learn(behind.reference))

    assert behind.state.engagements.get(b"gE1").billed == 176000 + 18000  # type: ignore[union-attr]
    assert change_of(trial, "E1", "billed", "cost") == ("0.00", "80.00")
