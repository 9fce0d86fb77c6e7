"""Settings of the brokers that our transactions and sessions must fit into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .line import Line, Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..settings import Settings
    from .view import View

DAY_MILLISECONDS: Final = 86_400_000
_SET: Final = "Set {name} in the brokers' server.properties to {wanted}{ours}"


async def check(view: View) -> list[Line]:
    """Compare each broker with the settings of a worker; the same finding is told once."""
    problems: dict[Line, None] = {}
    for configs in (await view.broker_configs()).values():
        problems |= dict.fromkeys(compared(configs, view.settings))
    return judged(list(problems), "transactions and sessions fit into what the brokers allow")


def compared(configs: Mapping[str, str], settings: Settings) -> list[Line]:
    """What one broker's settings forbid. A setting the broker does not tell is passed over."""
    copies = settings.replication_factor
    ours = settings.transaction_timeout_milliseconds
    session = settings.session_timeout_milliseconds
    lower, session_lower = "; or lower BILLTIDE_TRANSACTION_TIMEOUT_MILLISECONDS", "; or lower {0}"
    session_raise = f"; or raise {_SESSION}"
    return [
        *_bounds(configs, "transaction.max.timeout.ms", ours, None, "fail", lower),
        *_bounds(configs, "group.max.session.timeout.ms", session, None, "fail", session_lower.format(_SESSION)),
        *_bounds(configs, "group.min.session.timeout.ms", None, session, "fail", session_raise),
        *_bounds(configs, "transactional.id.expiration.ms", DAY_MILLISECONDS, None, "warn", ""),
        *_bounds(configs, "transaction.state.log.replication.factor", copies, None, "warn", ""),
        *_bounds(configs, "offsets.topic.replication.factor", copies, None, "warn", ""),
        *_unclean(configs),
    ]


_SESSION: Final = "BILLTIDE_SESSION_TIMEOUT_MILLISECONDS"


def _bounds(
    configs: Mapping[str, str], name: str, least: int | None, most: int | None, verdict: Verdict, ours: str
) -> list[Line]:
    text = configs.get(name)
    if not text:
        return []
    value = int(text)
    if least is not None and value < least:
        return [Line(verdict, f"{name} is {value}, below {least}", _SET.format(name=name, wanted=least, ours=ours))]
    if most is not None and value > most:
        return [Line(verdict, f"{name} is {value}, above {most}", _SET.format(name=name, wanted=most, ours=ours))]
    return []


def _unclean(configs: Mapping[str, str]) -> list[Line]:
    name = "unclean.leader.election.enable"
    if configs.get(name) != "true":
        return []
    found = f"{name} is true: after a failure a copy that is behind may lead, and what was acknowledged is gone"
    return [Line("warn", found, _SET.format(name=name, wanted="false", ours=""))]
