"""A consumer whose fetches fail can be closed like any other."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer import consumer
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import KafkaConnectionError

from billtide.app.runtime import fetcher


async def refused(*_: object) -> None:
    """Answer as a broker that is gone."""
    raise KafkaConnectionError


async def test_a_fetch_cancelled_while_it_waits_after_an_error_lets_nothing_out() -> None:
    """Closing goes on with the next one; if this fails without the mend no longer, aiokafka has mended it itself."""
    fetcher.mend()
    made: Any = consumer.Fetcher.__new__(consumer.Fetcher)
    made._client = SimpleNamespace(send=refused)
    made._invalidate_preferred_read_replica_for_node = lambda *_: None
    made._retry_backoff = 60.0
    fetch = asyncio.ensure_future(made._proc_fetch_request(None, 0, None))
    await asyncio.sleep(0.01)
    fetch.cancel()

    assert await fetch is False
    assert consumer.Fetcher is fetcher._Fetcher


async def test_a_reader_hears_of_what_ended_the_routine_that_fetches() -> None:
    """It would be given nothing for ever, and go on with reference data of that moment."""
    fetcher.mend()
    made: Any = consumer.Fetcher.__new__(consumer.Fetcher)

    async def broken() -> None:
        raise RuntimeError("the handler is closed")

    made._fetch_task = asyncio.ensure_future(broken())
    await asyncio.wait({made._fetch_task})
    with pytest.raises(RuntimeError, match="the handler is closed"):
        await made.fetched_records(())


async def test_who_has_asked_for_records_and_met_an_error_asks_no_more() -> None:
    """Else a worker whose loop stands still would count as one that takes records, and keep its place."""
    fetcher.mend()
    made: Any = consumer.Fetcher.__new__(consumer.Fetcher)
    made._subscriptions = SubscriptionState()
    with pytest.raises(KafkaConnectionError), made.asking():
        raise KafkaConnectionError

    assert made._subscriptions._fetch_count == 0
