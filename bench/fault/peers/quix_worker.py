"""A worker of Quix Streams, exactly once: one charge an entry, totals in its state with its changelog."""

from __future__ import annotations

from typing import Any

import variables
from charge import amount, charge
from quixstreams import Application, State


def charged(entry: dict[str, Any], state: State) -> dict[str, Any]:
    """The charge of an entry."""
    total = state.get("total", 0) + amount(entry)
    state.set("total", total)
    return charge(entry, total)


def run() -> None:
    """Charge until the process is asked to end."""
    # A place of its own has an id of its own, so that a restart ends at once what the life before has left open.
    place = {"group.instance.id": variables.PLACE} if variables.PLACE else {}
    producer = {"transactional.id": f"{variables.APP}-{variables.PLACE}"} if variables.PLACE else {}
    app = Application(
        broker_address=variables.BOOTSTRAP,
        consumer_group=variables.APP,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=variables.COMMIT_SECONDS,
        state_dir=variables.STATE,
        consumer_extra_config={
            "session.timeout.ms": variables.SESSION_MILLISECONDS,
            "heartbeat.interval.ms": variables.HEARTBEAT_MILLISECONDS,
            **place,
        },
        producer_extra_config={
            "transaction.timeout.ms": variables.TRANSACTION_MILLISECONDS,
            "delivery.timeout.ms": variables.DELIVERY_MILLISECONDS,
            **producer,
        },
        consumer_poll_timeout=variables.COMMIT_SECONDS,
    )
    entries = app.topic(variables.ENTRIES, key_deserializer="str", value_deserializer="json")
    charges = app.topic(variables.CHARGES, key_serializer="str", value_serializer="json")
    app.dataframe(entries).apply(charged, stateful=True).to_topic(charges)
    app.run()


if __name__ == "__main__":
    run()
