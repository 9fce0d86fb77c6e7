"""A worker of stock Faust, exactly once: one charge an entry, totals in a table with its changelog."""

from __future__ import annotations

import faust
import msgspec
import variables
from charge import amount, charge
from faust.transport.drivers.aiokafka import Producer

app = faust.App(
    variables.APP,
    broker=f"kafka://{variables.BOOTSTRAP}",
    datadir=str(variables.STATE),
    store="memory://",
    processing_guarantee="exactly_once",
    topic_partitions=variables.PARTITIONS,
    topic_replication_factor=1,
    topic_disable_leader=True,
    table_standby_replicas=0,
    web_enabled=False,
    broker_commit_interval=variables.COMMIT_SECONDS,
    broker_session_timeout=variables.SESSION_MILLISECONDS / 1000,
    broker_heartbeat_interval=variables.HEARTBEAT_MILLISECONDS / 1000,
    consumer_auto_offset_reset="earliest",
    consumer_group_instance_id=variables.PLACE or None,
)
totals = app.Table("totals", default=int, key_type=str, value_type=int)
charges = app.topic(variables.CHARGES, key_serializer="raw", value_serializer="raw")


class ShortProducer(Producer):
    """Faust has no setting for how long a transaction may take; aiokafka's own default is a minute."""

    def _settings_extra(self) -> dict[str, object]:
        return {**super()._settings_extra(), "transaction_timeout_ms": variables.TRANSACTION_MILLISECONDS}


app.transport.Producer = ShortProducer


@app.agent(app.topic(variables.ENTRIES, key_serializer="raw", value_serializer="raw"), name="charging")
async def charging(stream: faust.Stream) -> None:
    """Charge each entry."""
    async for value in stream:
        entry = msgspec.json.decode(value)
        engagement = entry["engagement_id"]
        totals[engagement] += amount(entry)
        event = msgspec.json.encode(charge(entry, totals[engagement]))
        await charges.send(key=engagement.encode(), value=event)


@app.agent(charges, name="reading-back")
async def reading_back(stream: faust.Stream) -> None:
    """Faust puts into its transactions only what goes to topics that the app reads itself."""
    async for _ in stream:
        pass


if __name__ == "__main__":
    faust.Worker(app, loglevel="info", redirect_stdouts=False).execute_from_commandline()
