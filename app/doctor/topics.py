"""The topics: as `billtide topics check` wants them, as many partitions each, copied as often as they must be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from .. import topics as kafka_topics
from ..topology import TOPOLOGY
from .line import Line, judged

if TYPE_CHECKING:
    from .view import View

COPIES_SAFE: Final = 3
"""Copies with which one broker may be lost while another is mended."""


async def check(view: View) -> list[Line]:
    """What `billtide topics check` finds."""
    findings = await kafka_topics.check(view.settings)
    problems = [
        Line("fail" if it.severity == "error" else "warn", f"{it.topic}: {it.problem}", it.mend) for it in findings
    ]
    return judged(problems, f"{len(TOPOLOGY.streams)} topics are as the topology says")


async def check_partitions(view: View) -> list[Line]:
    """Whether every topic of a task has as many partitions: partition P of each is task P."""
    there = await view.described()
    streams = [stream for stream in TOPOLOGY.streams if not stream.single]
    counts = {view.settings.topic(one.name): len(there.get(view.settings.topic(one.name), ())) for one in streams}
    counts = {topic: count for topic, count in counts.items() if count}
    if not counts:
        return [Line("fail", "no topic of a task exists", "Run `billtide topics create`")]
    usual = Counter(counts.values()).most_common(1)[0][0]
    mend = f"Create it again with {usual} partitions: partitions that are added move keys to other tasks"
    problems = [
        Line("fail", f"{topic} has {count} partitions, the others have {usual}", mend)
        for topic, count in counts.items()
        if count != usual
    ]
    return judged(problems, f"{len(counts)} topics with {usual} partitions each")


async def check_copies(view: View) -> list[Line]:
    """Whether each partition has a leader, all its copies in sync, and as many as an acknowledgement asks for."""
    there = await view.described()
    configs = await view.topic_configs(there) if there else {}
    problems, alone = [], 0
    for topic, parts in there.items():
        least, copies = int(configs[topic].get("min.insync.replicas") or 1), min(len(p["replicas"]) for p in parts)
        command = f"kafka-configs.sh --bootstrap-server {view.settings.kafka_bootstrap} --alter --topic {topic}"
        if any(part["leader"] < 0 for part in parts):
            problems.append(Line("fail", f"{topic} has partitions without a leader", "Start the brokers that hold it"))
        elif any(len(part["isr"]) < len(part["replicas"]) for part in parts):
            problems.append(Line("warn", f"{topic} has copies that are behind", "Start the brokers that hold them"))
        if least > copies:
            found = f"{topic}: min.insync.replicas is {least} of {copies} copies: nothing can be written"
            problems.append(Line("fail", found, f"Run `{command} --add-config min.insync.replicas={copies}`"))
        elif copies >= COPIES_SAFE and least == 1:
            found = f"{topic}: min.insync.replicas is 1: what is acknowledged can be lost with one broker"
            problems.append(Line("warn", found, f"Run `{command} --add-config min.insync.replicas=2`"))
        alone += copies == 1
    if alone:
        mend = (
            f"For money, set BILLTIDE_REPLICATION_FACTOR={COPIES_SAFE}, and reassign with kafka-reassign-partitions.sh"
        )
        problems.append(Line("warn", f"{alone} topics have one copy: a lost disk loses them", mend))
    return judged(problems, f"{len(there)} topics have all their copies in sync")
