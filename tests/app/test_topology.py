"""The graph holds together, and agrees with what agents and codecs call things."""

from __future__ import annotations

from dataclasses import replace

from billtide.agents.outbox import OUTPUTS
from billtide.agents.reference import STREAMS
from billtide.app.runtime.actors import actors_of
from billtide.app.settings import load
from billtide.app.topics import configs
from billtide.app.topology import TOPOLOGY, Topology


def test_the_graph_is_sound() -> None:
    """No name twice, one changelog, every input has an agent."""
    assert TOPOLOGY.problems() == []


def test_every_input_has_its_agent() -> None:
    """The agent a stream names is a function of that name in agents/."""
    actors = actors_of(TOPOLOGY)
    assert {stream.agent for stream in TOPOLOGY.inputs} == set(actors.agents)


def test_outputs_are_those_a_unit_of_work_writes() -> None:
    """What work hands out, audit included, and what the topology creates topics for are the same."""
    written = {output.stream for output in OUTPUTS} | {"dead-letters", "audit"}
    assert {stream.name for stream in TOPOLOGY.outputs} == written


def test_reference_streams_are_those_agents_read() -> None:
    """Every reference topic has a reader."""
    assert {stream.name for stream in TOPOLOGY.references} == set(STREAMS)


def test_a_graph_that_contradicts_itself_is_refused() -> None:
    """Each contradiction has its sentence."""
    first, *rest = TOPOLOGY.streams
    broken = Topology((replace(first, single=True), first, *(one for one in rest if one.role != "changelog")))
    problems = broken.problems()
    assert f"stream {first.name} is there twice" in problems
    assert "there must be exactly one changelog" in problems
    assert f"{first.name} is read by tasks and needs a partition for each" in problems


def test_rate_cards_keep_every_record() -> None:
    """Compaction would keep the last content of a version, and the first is the one that counts."""
    cards = TOPOLOGY.stream("rate-cards")

    assert (cards.compacted, cards.retention_hours, cards.single) == (False, None, True)
    assert configs(cards, load())["retention.ms"] == "-1"
    assert (
        next(iter(configs(cards, load()))) == "retention.ms"
    )  # set before the policy, so that nothing is lost between


def test_reference_data_that_would_be_lost_is_refused() -> None:
    """What is read from its start is compacted, or kept for ever."""
    cards = replace(TOPOLOGY.stream("rate-cards"), retention_hours=24)

    assert Topology((cards,)).problems()[1:] == [
        "rate-cards is read from its start and must be compacted, or kept for ever"
    ]
