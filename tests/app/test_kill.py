"""Workers killed in the middle of the sample week: the money, the event ids and the count of records stay right.

Two workers take the same week in twice, on topics of their own: once in peace, once while one of them after the other
is killed with SIGKILL at random moments and started again. Both times the demonstration's own check, against the
independent reckoning, must find nothing; and both must have written the same live billing lines.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import pytest

from billtide.app import topics
from billtide.app.demo import firm, workers
from billtide.app.demo.feed import send_phase
from billtide.app.demo.progress import following
from billtide.app.demo.run import check
from billtide.app.settings import load
from billtide.codecs import approval, expense, time_entry
from billtide.codecs.errors import UndecodableError

from .slices import send_slowly

if TYPE_CHECKING:
    from pathlib import Path

    from billtide.app.broker import Broker
    from billtide.app.demo.run import Checked
    from billtide.app.settings import Settings

KILLS: Final = 5
PAUSE_SECONDS: Final = (0.6, 2.6)
"""Least and most time between two kills: long enough to be back at work, or only on the way there."""

Entry = tuple[str, str, str]
"""Source, kind and id of an entry."""


def settings_for(broker: Broker, prefix: str, data_dir: Path) -> Settings:
    """Topics, group and files of one run."""
    return load(kafka_bootstrap=broker.bootstrap, topic_prefix=prefix, app_id=prefix.rstrip("."), data_dir=data_dir)


async def take_in(settings: Settings, week: firm.Week, chance: random.Random | None) -> tuple[Checked, Checked]:
    """Let two workers take a week in; with `chance` they are killed meanwhile. Checked before the late part and after.

    In the late part several changes meet the same entry on topics without an order between them: an entry that waits
    for its rate may be priced before its contract changes or after. Its money is the same at the end, but not the
    number of its bills, so ids are compared as they are before the late part.
    """
    await topics.create(settings)
    await send_phase(settings, week.masters)
    running = workers.start_all(settings)
    try:
        async with following(settings) as progress:
            await progress.processed(lambda: workers.require_running(running))
            if chance is None:
                await send_phase(settings, week.load)
            else:
                await asyncio.gather(send_slowly(settings, week.load), kill_some(settings, running, chance))
            await progress.processed(lambda: workers.require_running(running))
            before = await check(settings, progress)
            await send_phase(settings, week.late)
            await progress.processed(lambda: workers.require_running(running))
            return before, await check(settings, progress)
    finally:
        await asyncio.to_thread(workers.stop_all, settings, running)


async def kill_some(settings: Settings, running: list[workers.WorkerProcess], chance: random.Random) -> None:
    """Kill one worker after the other at random moments; each is started again at once, in its old place."""
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        victim = chance.randrange(len(running))
        await asyncio.to_thread(workers.kill, running[victim])
        running[victim] = workers.start(settings, running[victim].name)


def certain_entries(week: firm.Week) -> set[Entry]:
    """Entries with one revision and at most one decision of each level: their events have the same ids in any order."""
    revisions: dict[Entry, set[int]] = defaultdict(set)
    decided_again: set[Entry] = set()
    kinds = (("time-entries", "time", time_entry.decode), ("expenses", "expense", expense.decode))
    for stream, kind, decode in kinds:
        for sent in week.load[stream]:
            try:
                entry = decode(sent.value)
            except UndecodableError:
                continue
            revisions[entry.source, kind, entry.id].add(entry.revision)
    for sent in week.load["approvals"]:
        try:
            decision = approval.decode(sent.value)
        except UndecodableError:
            continue
        if decision.sequence > 1:
            decided_again.add((decision.source, decision.entry_type, decision.entry_id))
    return {entry for entry, found in revisions.items() if found == {1}} - decided_again


def entry_of(event_id: str) -> Entry:
    """The entry that caused an event, by the event's id."""
    source, kind, entry_id, _ = event_id.split(":", 3)
    return source, kind, entry_id


def order_decides(checked: Checked, engagement_id: str) -> bool:
    """Whether the order of the entries decides which lines their bills have, and so which entry is charged what.

    So it is under a cap, where customers pay one after the other, where tiers are passed, and where a prepaid balance
    is used up.
    """
    terms = checked.reckoning.engagements[engagement_id].terms
    if terms is None:
        return False
    if terms.contract_type == "capped":
        return True
    in_order = terms.funding is not None and any(customer.up_to is not None for customer in terms.funding.customers)
    lines = checked.written.lines.get(engagement_id, [])
    tiered = any(step.step in {"tier", "tier_rate"} for line in lines for step in line.trace)
    return in_order or tiered or (terms.fee is not None and terms.fee.drawdown is not None)


def engagements_in_any_order(*runs: Checked) -> set[str]:
    """Engagements in whose lines the order of the entries decides nothing, in none of the runs."""
    first, *_ = runs
    return {
        engagement_id
        for engagement_id in first.reckoning.engagements
        if not any(order_decides(checked, engagement_id) for checked in runs)
    }


def charged(checked: Checked, engagements: set[str]) -> Counter[Entry]:
    """Billing by entry of some engagements, in minor units."""
    found: Counter[Entry] = Counter()
    for entry, amount in checked.written.billed_entries.items():
        if entry.engagement_id in engagements:
            found[entry.source, entry.kind, entry.id] += amount
    return found


def live_ids(checked: Checked, engagements: set[str], certain: set[Entry]) -> set[str]:
    """Ids of live billing lines of some engagements, for certain entries."""
    return {
        event_id
        for event_id, charge in checked.written.charges.items()
        if charge.engagement_id in engagements and entry_of(event_id) in certain
    }


@pytest.mark.kafka
async def test_five_kills_change_no_money_lose_nothing_and_write_nothing_twice(
    broker: Broker, topic_prefix: str, tmp_path: Path, seed: int
) -> None:
    """Killed workers leave the money as reckoned, no event twice, no record without a disposition, the same ids."""
    week = firm.sample_week(seed)
    before_peace, peace = await take_in(settings_for(broker, f"{topic_prefix}peace.", tmp_path / "peace"), week, None)
    before_killed, killed = await take_in(
        settings_for(broker, f"{topic_prefix}killed.", tmp_path / "killed"), week, random.Random(seed)
    )
    certain = certain_entries(week)

    for checked in (before_peace, peace, before_killed, killed):
        assert checked.verdict.problems == ()
        assert (checked.verdict.lost, checked.verdict.duplicated, checked.verdict.difference) == (0, 0, {})
    compared = engagements_in_any_order(before_peace, peace, before_killed, killed)
    assert charged(peace, compared) == charged(killed, compared)
    ids = live_ids(before_killed, compared, certain)
    assert live_ids(before_peace, compared, certain) == ids
    assert len(ids) * 2 > len(before_killed.written.charges), "most lines are compared"
