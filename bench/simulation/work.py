"""What people do: time, expenses and the decisions about them, corrected, withdrawn, late, again, or unreadable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

import msgspec

from billtide.app.demo.happenings import Sent, Thing
from billtide.codecs import cloudevents, rate_card, time_entry
from billtide.codecs.approval import Approval
from billtide.codecs.expense import Expense
from billtide.codecs.time_entry import TimeEntry

from . import spending
from .agreed import DECIDED_ON

if TYPE_CHECKING:
    from billtide.codecs.engagement import Engagement

    from .sales import Planned, Sold

STATUSES = ("submitted",) * 6 + ("approved",) * 4 + ("draft", "rejected", "recalled", "deleted")
VERDICTS = ("approved",) * 6 + ("rejected", "recalled")
ROLES = ("", "", "analyst", "partner", "consultant", "architect")
EXCLUDED = (None,) * 8 + ("uninstalled", "waste")
FIRST_DAY = dt.date(2025, 9, 25)
QUANTITIES = (
    ("8", "hour"),
    ("7.5", "hour"),
    ("3.333333", "hour"),
    ("1", "day"),
    ("0.125", "day"),
    ("50", "minute"),
    ("0", "hour"),
)
BROKEN_ENTRY = (
    '{"source":"psa","id":"broken","revision":1,"engagement_id":"E1","resource_id":"R1","work_date":"2025-11-07",'
    '"quantity":%s,"status":"%s"%s}'
)
BROKEN = (
    ("time-entries", b"E1", b'{"source":"psa",', time_entry.TYPE),
    ("time-entries", b"E1", (BROKEN_ENTRY % ('"7,5"', "approved", "")).encode(), time_entry.TYPE),
    ("time-entries", b"E1", (BROKEN_ENTRY % ("7.5", "approved", "")).encode(), time_entry.TYPE),
    ("time-entries", b"E2", (BROKEN_ENTRY % ('"8"', "approved", "")).encode(), time_entry.TYPE),
    ("time-entries", None, (BROKEN_ENTRY % ('"8"', "approved", "")).encode(), time_entry.TYPE),
    ("time-entries", b"E1", (BROKEN_ENTRY % ('"8"', "approved", ',"schema_version":2')).encode(), time_entry.TYPE),
    ("time-entries", b"E1", None, time_entry.TYPE),
    ("expenses", b"E1", (BROKEN_ENTRY % ('"8"', "approved", "")).encode(), time_entry.TYPE),
    ("approvals", b"E3", b"approved", ""),
    ("engagements", b"E1", b"{}", ""),
    ("rate-cards", b"broken/1", b'{"id":"broken"', rate_card.TYPE),
)  # fmt: skip
"""Records nobody can read: stream, key, value, type."""


def entries(chance: Random, sold: Sold, planned: Planned) -> Iterator[tuple[float, Thing]]:
    """Every revision and every decision with its moment."""
    for terms in sold.engagements:
        plans = [plan for plan in planned.assignments if plan.engagement_id == terms.id]
        for number in range(chance.randint(4, 16)):
            first = _time(chance, f"T-{terms.id}-{number}", terms, [plan.id for plan in plans])
            yield from _life(chance, first)
        for number in range(chance.randrange(8)):
            yield from _life(chance, _expense(chance, f"X-{terms.id}-{number}", terms))


def _time(chance: Random, name: str, terms: Engagement, plans: list[str]) -> TimeEntry:
    quantity, unit = chance.choice(QUANTITIES)
    if chance.randrange(25) == 0:
        quantity = f"-{quantity}"
    special = chance.randrange(12)
    return TimeEntry(
        source="psa", id=name, revision=1, engagement_id=terms.id, resource_id=_person(chance), work_date=_day(chance),
        quantity=quantity, unit=unit, status=chance.choice(STATUSES), billable=chance.randrange(8) > 0,
        role="trainer" if special == 0 else chance.choice(ROLES),
        grade=chance.choice(("", "senior")), item="workshop" if special == 0 else "",
        assignment_id=chance.choice(plans) if plans and special in {1, 2, 3} else "",
        rate=chance.choice(("80", "120.125", "0")) if special == 4 else None,
        billable_quantity=_billable(chance, quantity), task_id=chance.choice(("", "design", "build")),
        progress_excluded=chance.choice(EXCLUDED), work_type=chance.choice(("", "", "", "overtime", "travel")),
    )  # fmt: skip


def _billable(chance: Random, quantity: str) -> str | None:
    """What the customer pays for where that is not the worked quantity: nothing, less or more."""
    if chance.randrange(6):
        return None
    return (
        "0" if quantity.strip("-") == "0" else chance.choice(("0", quantity, "-2.5" if quantity[0] == "-" else "2.5"))
    )


def _expense(chance: Random, name: str, terms: Engagement) -> Expense:
    currency = chance.choice(("EUR", "USD", "JPY"))
    plain = Expense(
        source="psa", id=name, revision=1, engagement_id=terms.id, resource_id=_person(chance), spent_on=_day(chance),
        category=chance.choice(("travel", *spending.CATEGORIES)), amount=spending.amount(chance, currency),
        currency=currency, status=chance.choice(STATUSES), billable=chance.randrange(6) > 0,
        receipt=chance.randrange(3) > 0, progress_excluded=chance.choice(EXCLUDED),
        task_id=chance.choice(("", "design", "build")),
    )  # fmt: skip
    return spending.detailed(chance, plain)


def _person(chance: Random) -> str:
    return "R9" if chance.randrange(60) == 0 else f"R{chance.randint(1, 5)}"


def _day(chance: Random) -> dt.date:
    return FIRST_DAY + dt.timedelta(days=chance.randrange(80))


def _life(chance: Random, first: TimeEntry | Expense) -> Iterator[tuple[float, Thing]]:
    """One entry: its revisions and what is decided about them, some again under one number with other content."""
    at = chance.random() * 0.8
    revisions = chance.choice((1, 1, 2, 2, 3, 4))
    version = first
    for revision in range(1, revisions + 1):
        if revision > 1:
            version = _changed(chance, version, revision)
        yield at + revision * 0.02, version
        if chance.randrange(20) == 0:
            yield at + revision * 0.02 + 0.01, _changed(chance, version, revision)
    kind = "time" if isinstance(first, TimeEntry) else "expense"
    for sequence in range(1, chance.choice((0, 1, 2, 2, 3)) + 1):
        approver, behalf = chance.choice((("", ""), ("M1", ""), ("M2", ""), ("M1", ""), ("D1", "M1"), ("D1", "M2")))
        decision = Approval(
            source="psa", entry_type=kind, entry_id=first.id, entry_revision=chance.randint(1, revisions),
            engagement_id=first.engagement_id, verdict=chance.choice(VERDICTS),
            level=chance.choice(("manager", "manager", "project", "finance")), sequence=sequence,
            approver_id=approver, on_behalf_of=behalf, decided_on=chance.choice(DECIDED_ON),
        )  # fmt: skip
        if chance.randrange(4) == 0:
            decision = msgspec.structs.replace(decision, target="correction", level="finance")
        late = 0.9 if chance.randrange(6) == 0 else 0.0
        yield max(at + sequence * 0.03, late), decision
        if chance.randrange(20) == 0:
            yield (
                max(at + sequence * 0.03, late) + 0.01,
                msgspec.structs.replace(decision, verdict=chance.choice(VERDICTS)),
            )


def _changed(chance: Random, version: TimeEntry | Expense, revision: int) -> TimeEntry | Expense:
    """The next revision: another status, and now and then other work."""
    version = msgspec.structs.replace(version, revision=revision, status=chance.choice(STATUSES), notes=f"v{revision}")
    if chance.randrange(3) == 0:
        return version
    if isinstance(version, Expense):
        return msgspec.structs.replace(
            version, spent_on=_day(chance), billable=chance.randrange(6) > 0, receipt=chance.randrange(2) > 0
        )
    quantity, unit = chance.choice(QUANTITIES)
    return msgspec.structs.replace(
        version,
        quantity=quantity,
        unit=unit,
        billable_quantity=_billable(chance, quantity),
        work_date=chance.choice((version.work_date, _day(chance))),
    )


def undecodable(chance: Random) -> list[tuple[str, Sent]]:
    """A few records nobody can read, with their streams."""
    found = []
    for stream, key, value, event_type in chance.sample(BROKEN, chance.randint(1, 5)):
        headers = cloudevents.headers(event_type, "broken") if event_type else []
        found.append((stream, Sent(key, value, headers, 1_762_000_000_000)))
    return found
