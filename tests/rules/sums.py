"""Sums over events that left a task, in minor units, and what must be true of any of them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from billtide.codecs.currencies import EXPONENTS

if TYPE_CHECKING:
    from ..builders import Object, Task
    from .model import Name


def minor(text: str, currency: str = "EUR") -> int:
    """Decimal text in minor units; every digit must count."""
    scaled = Decimal(text).scaleb(EXPONENTS[currency])
    assert scaled == int(scaled), text
    return int(scaled)


def billed(task: Task, name: Name | None = None) -> int:
    """Sum of the billing lines of one entry, or of all."""
    return sum(
        minor(e["amount"])
        for e in task.out["billing"]
        if e["kind"] not in {"fee", "rounding"} and name in {None, (e["kind"], e["entry_id"])}
    )


def earned(task: Task, method: str | None = None) -> int:
    """Sum of the revenue."""
    return sum(minor(e["amount"]) for e in task.out["revenue"] if method in {None, e["method"]})


def accrued(task: Task, kind: str, name: Name | None = None) -> int:
    """Sum of the accruals of a kind: what is debited to its first account, less what is credited."""
    accounts = {"work_in_progress"} if kind == "work_in_progress" else {"project_cost", "project_expense"}
    total = 0
    for event in task.out["accruals"]:
        if event["kind"] == kind and name in {None, (event["id"].split(":")[1], event["entry_id"])}:
            line = next(line for line in event["lines"] if line["account"] in accounts)
            total += minor(line["amount"], event["currency"]) * (1 if line["side"] == "debit" else -1)
    return total


def journals_balance(task: Task) -> None:
    """Debits are credits in every event (M3), and the event's amount is what they move."""
    for event in (*task.out["accruals"], *task.out["revenue"]):
        sides = Counter()
        for line in event["lines"]:
            assert minor(line["amount"], event["currency"]) >= 0, event
            sides[line["side"]] += minor(line["amount"], event["currency"])
        assert sides["debit"] == sides["credit"], event
        if "amount" in event:
            assert sides["debit"] == abs(minor(event["amount"])), event


def ids_are_unique(task: Task) -> None:
    """No id leaves twice (M4), and every reversal names something that left before it and is reversed once."""
    events: list[Object] = [e for stream in ("billing", "accruals", "revenue", "exceptions") for e in task.out[stream]]
    twice = [name for name, count in Counter(event["id"] for event in events).items() if count > 1]
    assert twice == []
    for stream in ("billing", "accruals", "revenue"):
        seen: set[str] = set()
        for event in task.out[stream]:
            if reversed_id := event.get("reverses"):
                assert reversed_id in seen, event
                seen.remove(reversed_id)
            else:
                seen.add(event["id"])


def holds_end_once(task: Task) -> None:
    """Of each entry, `released` comes once after `held`, and what is still held at the end is what waits (M8).

    Terms that wait for a period to begin are not told: only a closed one, or a missing number, is somebody's to mend. Nor is what lies beyond
    a cap that stops: it waits for nobody.
    """
    open_holds: set[tuple[str, str]] = set()
    for event in task.out["exceptions"]:
        name = (event["kind"], event["entry_id"])
        if event["action"] == "released":
            assert name in open_holds, event
            open_holds.remove(name)
        else:
            open_holds.add(name)
    waiting = set()
    for key in (key for what in task.state.holds.waited_on() for key in task.state.holds.waiting_on(what)):
        kind, *_, entry_id = key[1:].decode().split("\x1f")
        hold = task.state.holds.get(key)
        if hold is not None and hold.reason == "cap_stopped":
            continue
        if kind != "terms":
            waiting.add((kind, entry_id))
        elif hold is not None and hold.reason in {"period_closed", "account_unmapped"}:
            waiting.add(("fee", entry_id))
    assert open_holds == waiting


def figures_are_sums(task: Task) -> None:
    """An engagement's figures are the sums over its events, and its parts add up (M7)."""
    state = task.state.engagements.get(task.state.engagements.key("E1"))
    if state is None:
        return
    assert state.billed == billed(task)
    assert state.fees == sum(minor(e["amount"]) for e in task.out["billing"] if e["kind"] == "fee")
    assert state.rounded == sum(minor(e["amount"]) for e in task.out["billing"] if e["kind"] == "rounding")
    assert state.earned == earned(task)
    assert state.unbilled == accrued(task, "work_in_progress")
    assert state.approved_value == state.billed + state.held + state.non_chargeable
    if {event["currency"] for event in task.out["accruals"] if event["kind"] == "cost"} <= {"EUR"}:
        assert state.cost == accrued(task, "cost")
    waiting = Counter(
        hold.reason
        for key in task.state.holds.bytes
        if (hold := task.state.holds.get(key))
        and key[1:].split(b"\x1f")[0] in {b"time", b"expense", b"invoice", b"payment"}
        and hold.reason != "cap_stopped"
    )
    assert {reason: count for reason, count in state.held_entries.items() if count} == waiting


def dispositions_add_up(task: Task, stream: str, sent: int) -> None:
    """Every record has exactly one disposition (M5)."""
    position = task.state.position(stream)
    counts = position.applied + position.duplicate + position.stale + position.held + position.dead_lettered
    assert (sent, sent) == (position.offset, counts)
