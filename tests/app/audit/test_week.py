"""The sample week in memory: its audit is whole and tells of every event, in any order of the streams."""

from __future__ import annotations

import random

from billtide.app.audit.verification import AUDIT, EVENTS, Verification
from billtide.app.demo.firm import sample_week

from ..demo.memory import played


def test_the_audit_of_a_week_is_whole(seed: int) -> None:
    """Corrections, rejections, duplicates, late and undecodable records included."""
    memory = played(sample_week(seed), random.Random(seed))
    found = Verification({0: memory.state.chain_head()})
    for stream in (AUDIT, *EVENTS):
        found.take(stream, 0, memory.left[stream])

    assert found.problems() == []
    assert found.events > found.rows > 1_000
