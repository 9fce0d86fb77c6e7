"""All checks, in the order they are told, and the one way to run them: what fails in one never hides the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient

from .. import clients
from . import access, brokers, clock, limits, local, state, topics, transactions, wire
from .line import Line
from .view import View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..settings import Settings

CHECK_SECONDS_MAX: Final = 300.0
"""How long one check may take: a changelog of some ten million records is read in less."""


class Check(NamedTuple):
    """A check: its name as it is printed, and what it does."""

    name: str
    check: Callable[[View], Awaitable[list[Line]]]


LOCAL: Final = (Check("disk", local.check),)
CHECKS: Final = (
    Check("brokers", brokers.check),
    Check("broker limits", limits.check),
    Check("topics", topics.check),
    Check("co-partitioning", topics.check_partitions),
    Check("copies", topics.check_copies),
    Check("rights on topics", access.check_topics),
    Check("rights on the group", access.check_group),
    Check("rights on transactions", access.check_transactions),
    Check("clocks", clock.check),
    Check("wire versions", wire.check),
    Check("changelog", state.check_records),
    Check("lag", state.check_lag),
    Check("open transactions", transactions.check),
    Check("poison limits", state.check_poison),
    Check("dead letters", state.check_dead_letters),
    Check("holds", state.check_holds),
)
"""Those that ask the brokers; LOCAL those that need none."""


class Told(NamedTuple):
    """A line, and which check says it."""

    check: str
    line: Line


async def examine(settings: Settings, now: float | None = None) -> list[Told]:
    """Run every check. Without a broker those that need one are told as one failure. now: seconds since 1970."""
    admin = AIOKafkaAdminClient(**settings.connection(), client_id=f"{settings.app_id}-doctor")
    view = View(settings, admin, now)
    told = [one for check in LOCAL for one in await _run(check, view)]
    try:
        await clients.start(admin, admin.close, settings)
    except clients.BrokerAbsentError as error:
        problem, _, mend = error.message.partition("; ")
        rest = f"; {len(CHECKS) - 1} checks that need it are left out"
        return [Told(CHECKS[0].name, Line("fail", problem + rest, mend[:1].upper() + mend[1:])), *told]
    try:
        return [*[one for check in CHECKS for one in await _run(check, view)], *told]
    finally:
        await admin.close()


async def _run(check: Check, view: View) -> list[Told]:
    try:
        async with asyncio.timeout(CHECK_SECONDS_MAX):
            lines = await check.check(view)
    except Exception as error:  # noqa: BLE001 - a check that cannot be made is a finding, and the others go on
        problem = str(error) or type(error).__name__
        lines = [Line("fail", f"cannot be checked: {problem}", "Mend what is said above or here, then run it again")]
    return [Told(check.name, line) for line in lines]
