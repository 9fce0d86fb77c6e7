"""The sample week through the real agents and rules, without Kafka: the money is the reckoning's, in any order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from billtide.app.demo import firm
from billtide.app.demo.aftermath import REVIEWED_REVISION

from .memory import Memory, played, reckoned, verdict_on

if TYPE_CHECKING:
    from billtide.app.demo.reckoning import Reckoning

ORDERS = 4


@pytest.fixture(scope="module")
def week() -> firm.Week:
    """The week that `billtide demo` shows."""
    return firm.sample_week(7)


@pytest.fixture(scope="module")
def reckoning(week: firm.Week) -> Reckoning:
    """What the week must come to."""
    return reckoned(*week.phases)


@pytest.fixture(scope="module")
def in_order(week: firm.Week) -> Memory:
    """The week, taken in as it came about; not to be changed."""
    return played(week)


def test_lines_are_rounded_as_sums(in_order: Memory) -> None:
    """Some of the firm's lines are; what their rounding lines bill is not nothing."""
    assert in_order.written().rounding.total()


def test_every_kind_of_tier_is_reached(in_order: Memory) -> None:
    """Of each engagement with tiers a line lies above the first, of some that bill each part several rates."""
    tiers = [
        (line["engagement_id"], step["step"])
        for line in events(in_order, "billing")
        for step in line.get("trace", ())
        if step["step"] == "tier_rate" or (step["step"] == "tier" and step["source"].startswith("above"))
    ]

    assert {name for name, _ in tiers} == {"E-0023", "E-0029", "E-0036", "E-0043", "E-0044"}
    assert {name for name, step in tiers if step == "tier_rate"} == {"E-0023", "E-0036", "E-0044"}


def test_the_week_comes_to_what_is_reckoned(in_order: Memory, reckoning: Reckoning) -> None:
    """In the order in which it came about, the week has the money, the holds and the dead letters reckoned."""
    assert verdict_on(in_order, reckoning).problems == ()


def test_what_is_told_apart_is_not_nothing(reckoning: Reckoning) -> None:
    """Fees are deferred, value is not charged beyond a cap, bills are shared, credits are lost, rates have moved."""
    every = reckoning.engagements.values()

    assert any(expected.deferred > 0 for expected in every)
    assert any(expected.non_chargeable > 0 for expected in every)
    assert any(len(expected.funded) > 2 for expected in every)
    assert any(expected.receivables.written_off > 0 for expected in every)
    assert sum(any(expected.receivables.fx.values()) for expected in every) > 2
    states = {line.state for expected in every for line in expected.receivables.lines.values()}
    assert states >= {"invoiced", "partly_paid", "paid", "credited"}
    unknown = {"billing_unknown", "invoice_unknown", "submission_date_unknown"}
    assert unknown | {"awaiting_review", "currency_differs"} <= reckoning.held.keys()
    assert any(expected.balance_least for expected in every), "work waits for a prepaid balance"


def test_corrections_of_closed_months_are_reviewed(in_order: Memory) -> None:
    """Of those that wait, finance releases some, or their month opens again; others keep what stood."""
    closed = [event for event in events(in_order, "exceptions") if "accounting period is closed" in event["message"]]
    waited = {event["entry_id"] for event in closed}
    billed = {line["entry_id"] for line in events(in_order, "billing") if line["revision"] == REVIEWED_REVISION}

    assert {event["reason"] for event in closed} == {"awaiting_review"}
    assert waited & billed
    assert waited - billed


def test_every_movement_of_a_prepaid_balance_is_made(in_order: Memory) -> None:
    """Refills, work that the balance pays or the firm bears, what is given back and what expires."""
    units = {line["unit"] for line in events(in_order, "billing") if line["kind"] == "fee"}
    methods = {event["method"] for event in events(in_order, "revenue")}

    assert units >= {"refill", "drawdown", "absorbed", "refund"}
    assert methods >= {"absorbed", "breakage"}


def events(memory: Memory, stream: str) -> list[dict[str, Any]]:
    """Everything a stream has got, as JSON objects."""
    return [msgspec.json.decode(record.value or b"") for record in memory.left[stream]]


def paths(billing: list[dict[str, Any]]) -> Iterator[str]:
    """Which way each line corrects what was billed before, if it does."""
    charged: dict[str, dict[str, Any]] = {}
    reversed_entries: dict[tuple[str, str, str], dict[str, Any]] = {}
    for line in billing:
        name = line["kind"], line["engagement_id"], line["entry_id"]
        closed = line["accounting_date"] >= "2025-12-01"
        if line["action"] == "charge":
            before = reversed_entries.pop(name, None)
            if before is not None:
                again = "billed anew" if line["revision"] == before["revision"] else "rebilled"
                yield f"{line['kind']} {again}" + (" in the next open period" if closed else "")
        elif line["action"] == "adjustment":
            yield f"{line['kind']} adjusted" + (" in the next open period" if closed else "")
        else:
            of = charged[line["reverses"]]
            yield f"{line['kind']} {of['action']} reversed" + (", a part under a cap" if "part_of" in of else "")
            reversed_entries[name] = line
        charged[line["id"]] = line
    yield from (f"{kind} withdrawn" for kind, *_ in reversed_entries)


def test_every_correction_path_is_taken(in_order: Memory) -> None:
    """Rebilled, adjusted, withdrawn, billed anew by other terms, in parts, in a closed month, before anything is billed."""
    found = set(paths(events(in_order, "billing")))
    accrued = [(event["kind"], event["action"]) for event in events(in_order, "accruals")]
    taken_back = [
        event for event in events(in_order, "revenue") if "earned_to_date" in event and event["amount"][0] == "-"
    ]

    for kind in ("time", "expense"):
        assert found >= {
            f"{kind} {what}"
            for what in ("rebilled", "billed anew", "adjusted", "withdrawn", "charge reversed", "adjustment reversed")
        }
    assert found >= {
        "time rebilled in the next open period",
        "time adjusted in the next open period",
        "time charge reversed, a part under a cap",
        "fee charge reversed",
    }
    for kind in ("work_in_progress", "cost", "milestone"):
        assert (kind, "reversal") in accrued
    assert taken_back, "a new estimate or a correction takes revenue of a fixed fee back"


def test_what_is_invoiced_is_adjusted_whatever_the_policy(in_order: Memory, reckoning: Reckoning) -> None:
    """Corrections go by the posting state: an invoiced line is adjusted, also when its month has closed since."""
    found = set()
    for line in events(in_order, "billing"):
        expected = reckoning.engagements[line["engagement_id"]]
        if expected.terms is not None and expected.terms.policies.correction == "reverse_and_rebill":
            found.add((line["action"], line["accounting_date"] >= "2025-12-01"))

    assert {("adjustment", False), ("adjustment", True)} <= found


@pytest.mark.parametrize("order", range(ORDERS))
def test_no_order_of_the_streams_changes_the_money(
    order: int, week: firm.Week, reckoning: Reckoning, seed: int
) -> None:
    """However the streams are mixed, every engagement has the same money (M9), and no event id is there twice (M4)."""
    verdict = verdict_on(played(week, random.Random(seed + order)), reckoning)

    assert verdict.problems == ()
    assert verdict.lost == 0


def test_any_seed_comes_to_what_is_reckoned(seed: int) -> None:
    """The week of any seed agrees with its reckoning."""
    other = firm.sample_week(seed)

    assert verdict_on(played(other, random.Random(seed)), reckoned(*other.phases)).problems == ()


def test_sending_the_week_again_changes_nothing(week: firm.Week) -> None:
    """The second time every record is a duplicate, stale, or still cannot be read; no money event is written."""
    memory = played(week)
    outcomes, written = dict(memory.outcomes), memory.written()
    again(memory, week)
    new = {outcome: count - outcomes[outcome] for outcome, count in memory.outcomes.items()}

    assert new["applied"] == new["held"] == 0
    for stream in ("billing", "accruals", "revenue", "exceptions"):
        assert memory.written().events[stream] == written.events[stream]


def again(memory: Memory, week: firm.Week) -> None:
    """Send all phases once more."""
    for phase in week.phases:
        for stream, records in phase.items():
            memory.send(stream, records)
