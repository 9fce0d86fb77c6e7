"""`billtide topics`: what topics there are, whether they exist, and whether they are as they must be."""

from __future__ import annotations

import click

from .. import topics as kafka_topics
from ..settings import Settings, load
from ..shapes import SHAPES
from ..topology import TOPOLOGY, Stream
from .connection import run
from .group import CommandGroup
from .output import Column, FindingError, counted, json_option, write_json, write_problems, write_table


@click.group(cls=CommandGroup)
def topics() -> None:
    """Show, create or check the topics."""


@topics.command()
@json_option
def show(as_json: bool) -> None:
    """Show every topic: its key, partitions, how old records go, and which agent reads it. Needs no broker."""
    settings = load()
    described = [_described(stream, settings) for stream in TOPOLOGY.streams]
    if as_json:
        write_json({"topics": described})
        return
    titles = [Column("topic"), Column("role"), Column("key"), Column("partitions", right=True), Column("cleanup")]
    columns = [*titles, Column("read by"), Column("about")]
    keys = ("topic", "role", "key", "partitions", "cleanup_policy", "agent", "about")
    write_table(columns, [[str(topic[key]) for key in keys] for topic in described])


@topics.command()
@json_option
def create(as_json: bool) -> None:
    """Create the topics that are missing. Those that exist are left as they are; `check` looks at them."""
    settings = load()
    names = run(settings, kafka_topics.create(settings))
    if as_json:
        write_json({"created": names})
        return
    for name in names:
        click.echo(f"created {name}")
    if not names:
        click.echo(f"all {counted(len(TOPOLOGY.streams), 'topic')} exist")


@topics.command()
@json_option
def check(as_json: bool) -> None:
    """Compare each topic with what it must be. Exit code 1 when a worker would not start on them."""
    settings = load()
    findings = run(settings, kafka_topics.check(settings))
    errors = [finding for finding in findings if finding.severity == "error"]
    if as_json:
        found = [{"topic": it.topic, "severity": it.severity, "problem": it.problem, "fix": it.mend} for it in findings]
        write_json({"ok": not errors, "findings": found})
        click.get_current_context().exit(1 if errors else 0)
    write_problems([f"{finding.severity}: {finding}" for finding in findings])
    if errors:
        problem = f"{counted(len(errors), 'topic error')}; mend each as it says, then run `billtide topics check` again"
        raise FindingError(problem)
    click.echo(f"{counted(len(TOPOLOGY.streams), 'topic')} checked, a worker can start")


def _described(stream: Stream, settings: Settings) -> dict[str, object]:
    shape = SHAPES.get(stream.name)
    return {
        "stream": stream.name,
        "topic": settings.topic(stream.name),
        "role": stream.role,
        "key": stream.key if shape is None else shape.key_text,
        "partitions": stream.partitions(settings.partitions),
        "cleanup_policy": stream.cleanup_policy,
        "event_type": stream.event_type,
        "agent": stream.agent,
        "about": stream.about,
    }
