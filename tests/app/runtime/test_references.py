"""Reference data as broadcast state: who goes on with a task knows at least what its former owner knew."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import KafkaConnectionError

from billtide.app.metrics import Metrics
from billtide.app.runtime.actors import actors_of
from billtide.app.runtime.shared import Shared
from billtide.app.topology import TOPOLOGY

from ...builders import fx_rate

if TYPE_CHECKING:
    from .conftest import Topics

pytestmark = pytest.mark.kafka

RATES = 20_000
PATIENCE_SECONDS = 60.0


def slowly(_: set[str]) -> None:
    """Take long over each step of what was read, so that more is always left than was asked for."""
    time.sleep(0.3)


async def test_all_that_is_there_when_a_task_is_opened_is_applied_first(kafka: Topics) -> None:
    """A worker that had caught up, and fell behind since, applies all of it before it goes on with a task."""
    rates = (json.dumps(fx_rate(rate=f"0.{number:06}")) for number in range(1, RATES + 1))
    await kafka.send("fx-rates", (("USD", rate) for rate in rates))
    shared = Shared(kafka.settings, TOPOLOGY, actors_of(TOPOLOGY), Metrics())
    references = shared.references
    references.ready.set()
    follower = asyncio.ensure_future(references.follow(slowly))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while references.offsets["fx-rates"] < RATES:
                with contextlib.suppress(KafkaConnectionError):  # until the follower has its connection
                    await references.caught_up()
                    break
                await asyncio.sleep(0)

        assert references.offsets["fx-rates"] == RATES
    finally:
        follower.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await follower


async def test_a_worker_that_reads_no_reference_data_opens_no_task(kafka: Topics) -> None:
    """Without a connection nobody can say how far it goes: that is an error to try again after, not a guess."""
    shared = Shared(kafka.settings, TOPOLOGY, actors_of(TOPOLOGY), Metrics())
    shared.references.ready.set()
    with pytest.raises(KafkaConnectionError):
        await shared.references.caught_up()
