"""The brokers: how many answer, who leads them, and which Kafka they speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiokafka.protocol.admin import ApiVersionRequest

from .line import Line

if TYPE_CHECKING:
    from .view import View

_FETCH: Final = 1
_RELEASES: Final = ((92, "4.1"), (74, "3.7"), (66, "3.0"))
"""The request a release brought, newest first: a broker tells what it speaks, not what it is called."""
_FETCH_OLDEST_4: Final = 4
"""Kafka 4.0 dropped every older form of fetching."""
TESTED: Final = ("4.0", "4.1")


def release(versions: dict[int, tuple[int, int]]) -> str:
    """The oldest Kafka that speaks so. versions: least and most version of each request, by its key."""
    for key, name in _RELEASES:
        if key in versions:
            newer = name < TESTED[0] and versions[_FETCH][0] >= _FETCH_OLDEST_4
            return TESTED[0] if newer else name
    return "before 3.0"


async def check(view: View) -> list[Line]:
    """Whether a controller leads the brokers, and whether their version is one the tests run on."""
    cluster = await view.admin.describe_cluster()
    answer = await view.admin._send_request(ApiVersionRequest())  # noqa: SLF001 - no public question
    spoken = release({key: (least, most) for key, least, most in answer.api_versions})
    brokers = {broker["node_id"] for broker in cluster["brokers"]}
    found = f"{len(brokers)} at {view.settings.kafka_bootstrap}, Kafka {spoken} or newer"
    if cluster["controller_id"] not in brokers:
        return [Line("fail", f"{found}, and no controller leads them", "Start the controllers; look at their logs")]
    if len(brokers) < view.settings.replication_factor:
        mend = "Start the others, or lower BILLTIDE_REPLICATION_FACTOR"
        return [Line("fail", f"{found}, fewer than the {view.settings.replication_factor} copies of a topic", mend)]
    if spoken not in TESTED:
        return [Line("warn", f"{found}, which is not tested", f"Upgrade the brokers to Kafka {TESTED[-1]}")]
    return [Line("ok", found)]
