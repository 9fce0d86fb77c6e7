"""How each group of checks judges what it is told; no broker is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from billtide.app.doctor import access, brokers, clock, examination, limits, local, topics
from billtide.app.doctor.clock import Ended
from billtide.app.doctor.line import Line
from billtide.app.doctor.tasks import TaskSeen
from billtide.app.memory import Read
from billtide.app.settings import Settings
from billtide.app.topology import TOPOLOGY
from billtide.tables.table import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from billtide.app.doctor.view import View

SOUND = {
    "transaction.max.timeout.ms": "900000",
    "group.min.session.timeout.ms": "6000",
    "group.max.session.timeout.ms": "1800000",
    "transactional.id.expiration.ms": "604800000",
    "transaction.state.log.replication.factor": "3",
    "offsets.topic.replication.factor": "3",
    "unclean.leader.election.enable": "false",
}
ALL = sum(1 << one for one in access.NAMES)


def view(**given: Any) -> View:
    """What a check looks through, made up."""
    return cast("View", SimpleNamespace(settings=Settings(replication_factor=3), **given))


@pytest.mark.parametrize(
    ("configs", "verdict", "mend"),
    [
        pytest.param({}, "", "", id="sound"),
        pytest.param({"transaction.max.timeout.ms": "11999"}, "fail", "12000", id="transactions are refused"),
        pytest.param({"transaction.max.timeout.ms": "12000"}, "", "", id="just long enough"),
        pytest.param({"group.max.session.timeout.ms": "10000"}, "fail", "20000", id="session too long"),
        pytest.param({"group.min.session.timeout.ms": "30000"}, "fail", "20000", id="session too short"),
        pytest.param({"transactional.id.expiration.ms": "3600000"}, "warn", "86400000", id="ids expire over night"),
        pytest.param({"transaction.state.log.replication.factor": "1"}, "warn", "to 3", id="one copy of transactions"),
        pytest.param({"offsets.topic.replication.factor": "1"}, "warn", "to 3", id="one copy of offsets"),
        pytest.param({"unclean.leader.election.enable": "true"}, "warn", "false", id="unclean leaders"),
        pytest.param({"transaction.max.timeout.ms": ""}, "", "", id="not told"),
    ],
)
def test_limits_of_brokers(configs: dict[str, str], verdict: str, mend: str) -> None:
    """What our transactions and sessions do not fit into fails; what only ages or copies worse warns."""
    found = limits.compared(SOUND | configs, Settings(replication_factor=3))

    assert [line.verdict for line in found] == ([verdict] if verdict else [])
    assert all(mend in line.mend and next(iter(configs)) in line.mend for line in found)


@pytest.mark.parametrize(
    ("found", "now", "verdict"),
    [
        pytest.param(Ended(100.0, 100.1), 101.0, "ok", id="together"),
        pytest.param(Ended(100.0, 111.0), 112.0, "ok", id="a long transaction"),
        pytest.param(Ended(100.0, 90.0), 101.0, "warn", id="the broker behind a worker"),
        pytest.param(Ended(100.0, 130.0), 131.0, "warn", id="the broker ahead of a worker"),
        pytest.param(Ended(100.0, 100.1), 90.0, "warn", id="this machine behind"),
        pytest.param(Ended(10_000.0, 100.0), 10_000.0, "warn", id="a worker hours ahead"),
    ],
)
def test_clocks(found: Ended, now: float, verdict: str) -> None:
    """Apart by more than a transaction explains."""
    assert [line.verdict for line in clock.compared([found], now, 12.0)] == [verdict]


@pytest.mark.parametrize(
    ("versions", "name"),
    [
        ({1: (4, 18), 66: (0, 2), 74: (0, 1), 92: (0, 0)}, "4.1"),
        ({1: (4, 17), 66: (0, 1), 74: (0, 0)}, "4.0"),
        ({1: (0, 16), 66: (0, 1), 74: (0, 0)}, "3.7"),
        ({1: (0, 12), 66: (0, 0)}, "3.0"),
        ({1: (0, 11)}, "before 3.0"),
    ],
)
def test_the_release_of_a_broker(versions: dict[int, tuple[int, int]], name: str) -> None:
    """By the requests it speaks."""
    assert brokers.release(versions) == name


@pytest.mark.parametrize(("mib", "verdict"), [(0, "warn"), (1_023, "warn"), (1_024, "ok")])
def test_room_on_the_disk(mib: int, verdict: str) -> None:
    """Little room warns, for a local broker; the mend names the setting."""
    line = local.room(mib * local.MIB, "/data")

    assert line.verdict == verdict
    assert ("BILLTIDE_DATA_DIR" in line.mend) == (verdict != "ok")


async def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    """Nothing can be written there."""
    (tmp_path / "file").touch()
    found = await local.check(cast("View", SimpleNamespace(settings=Settings(data_dir=tmp_path / "file" / "data"))))

    assert [line.verdict for line in found] == ["warn"]


def partition(replicas: int = 3, in_sync: int = 3, leader: int = 1) -> dict[str, Any]:
    """A partition as the brokers describe it."""
    return {"leader": leader, "replicas": list(range(replicas)), "isr": list(range(in_sync))}


@pytest.mark.parametrize(
    ("part", "least", "verdict"),
    [
        pytest.param(partition(), "2", "ok", id="three copies, two must answer"),
        pytest.param(partition(), "1", "warn", id="one that answers is enough"),
        pytest.param(partition(in_sync=2), "2", "warn", id="a copy is behind"),
        pytest.param(partition(leader=-1), "2", "fail", id="no leader"),
        pytest.param(partition(), "4", "fail", id="more must answer than there are"),
        pytest.param(partition(1, 1), "1", "warn", id="one copy"),
    ],
)
async def test_copies(part: dict[str, Any], least: str, verdict: str) -> None:
    """What stops writing fails; what can lose acknowledged records warns."""

    async def described() -> dict[str, Any]:
        return {"t": [partition(3, 3) if len(part["replicas"]) > 1 else part, part]}

    async def topic_configs(_: object) -> dict[str, dict[str, str]]:
        return {"t": {"min.insync.replicas": least}}

    found = await topics.check_copies(view(described=described, topic_configs=topic_configs))

    assert [line.verdict for line in found] == [verdict]
    assert all(line.mend for line in found if line.verdict != "ok")


async def test_a_topic_with_other_partitions_is_named() -> None:
    """Co-partitioning is judged among the topics, whatever the settings say; single topics do not count."""
    settings = Settings()
    counts = {settings.topic(one.name): 1 if one.single else 4 for one in TOPOLOGY.streams}

    async def described() -> dict[str, Any]:
        return {topic: count * [partition()] for topic, count in counts.items()}

    seen = cast("View", SimpleNamespace(settings=settings, described=described))
    assert await topics.check_partitions(seen) == [
        Line("ok", f"{sum(not one.single for one in TOPOLOGY.streams)} topics with 4 partitions each")
    ]
    counts[settings.topic("billing")] = 5
    (line,) = await topics.check_partitions(seen)
    assert (line.verdict, line.found) == ("fail", "billtide.billing has 5 partitions, the others have 4")


@pytest.mark.parametrize(
    ("stream", "needed"),
    [
        ("time-entries", "Read Describe DescribeConfigs"),
        ("rate-cards", "Read Describe DescribeConfigs"),
        ("billing", "Write Describe DescribeConfigs"),
        ("assignment-forecasts", "Read Write Describe DescribeConfigs"),
        ("state-changelog", "Read Write Describe DescribeConfigs"),
    ],
)
def test_rights_a_worker_needs(stream: str, needed: str) -> None:
    """Read what it reads, write what it writes; with none of them all are missing, with all of them none."""
    needs = access.needs(TOPOLOGY.stream(stream))

    assert access.missing(0, needs) == needed.split()
    assert access.missing(ALL, needs) == []


@pytest.mark.parametrize(
    ("error_code", "allowed", "lacking"),
    [
        pytest.param(0, ALL, "", id="all"),
        pytest.param(0, ALL & ~(1 << access.WRITE), "Write", id="not written"),
        pytest.param(access.REFUSED, -(2**31), "Write, Describe, DescribeConfigs", id="not even described"),
        pytest.param(3, -(2**31), "", id="not there, which another check says"),
    ],
)
async def test_rights_on_a_topic(error_code: int, allowed: int, lacking: str) -> None:
    """The operations that lack are named, and the command that grants them."""
    answer = {"topics": [{"topic": "billtide.billing", "error_code": error_code, "allowed": allowed}]}

    async def _send_request(_: object) -> Any:
        return SimpleNamespace(to_object=lambda: answer)

    (line,) = await access.check_topics(view(admin=SimpleNamespace(_send_request=_send_request)))

    assert line.verdict == ("fail" if lacking else "ok")
    assert f"may not {lacking}" in line.found if lacking else not line.mend
    assert all(f"--operation {one}" in line.mend for one in lacking.split(", ") if one)


async def test_without_a_broker_the_rest_is_still_told() -> None:
    """One failure for the broker, with what starts one; the disk is looked at all the same."""
    told = await examination.examine(Settings(kafka_bootstrap="127.0.0.1:1"))

    assert [(one.check, one.line.verdict) for one in told] == [("brokers", "fail"), ("disk", "ok")]
    assert "billtide up" in told[0].line.mend


async def test_a_check_that_breaks_is_a_finding() -> None:
    """Its error is told under its name; nothing is raised."""

    async def breaks(_: View) -> list[Line]:
        raise ValueError("no such field")

    (told,) = await examination._run(examination.Check("broken", breaks), view())

    assert (told.check, told.line.verdict) == ("broken", "fail")
    assert "no such field" in told.line.found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(None, b"\x01", id="no key"),
        pytest.param(b"", b"\x01", id="empty key"),
        pytest.param(None, None, id="nothing"),
        pytest.param(b"p", b"", id="no bytes"),
        pytest.param(b"p", bytes([VERSION[0] + 1]), id="newer"),
        pytest.param(b"?", b"\x01", id="no table of ours"),
    ],
)
def test_changelog_records_nobody_can_read_are_counted(key: bytes, value: bytes) -> None:
    """Whatever stands in the changelog, the check goes on and tells of it."""
    seen = TaskSeen(0)
    seen.take([Read("state-changelog", 0, 0, 0, key, value, ())])

    assert (seen.records, len(seen.unreadable)) == (1, 1)
