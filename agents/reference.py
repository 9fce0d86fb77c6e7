"""Reference agents: rate cards, resources, exchange rates, periods and account maps, read whole by every worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from ..codecs import account_map, cloudevents, fx_rate, period, rate_card, resource
from ..codecs.errors import UndecodableError
from ..tables.reference import Reference
from .work import Record


class ReferenceStream(NamedTuple):
    """How one reference topic is read: its type, its decoder, and what takes a value in."""

    event_type: str
    decode: Callable[[bytes | None], Any]
    put: Callable[[Reference, Any], str | None]


STREAMS: Final = {
    "rate-cards": ReferenceStream(rate_card.TYPE, rate_card.decode, Reference.put_rate_card),
    "resources": ReferenceStream(resource.TYPE, resource.decode, Reference.put_resource),
    "fx-rates": ReferenceStream(fx_rate.TYPE, fx_rate.decode, Reference.put_fx_rate),
    "account-maps": ReferenceStream(account_map.TYPE, account_map.decode, Reference.put_account_map),
    "periods": ReferenceStream(period.TYPE, period.decode, Reference.put_period),
}


class ReferenceChange(NamedTuple):
    """What a slab of reference records did: words that wake holds, and records nobody could read."""

    wakes: set[str]
    undecodable: list[tuple[Record, UndecodableError]]


def apply_reference(reference: Reference, stream: str, records: Sequence[Record]) -> ReferenceChange:
    """Take a slab of one reference topic in. Reference data is never deleted: a tombstone is refused."""
    how = STREAMS[stream]
    change = ReferenceChange(set(), [])
    for record in records:
        try:
            if record.headers:
                cloudevents.check_type(record.headers, how.event_type)
            woken = how.put(reference, how.decode(record.value))
        except UndecodableError as error:
            change.undecodable.append((record, error))
        else:
            if woken is not None:
                change.wakes.add(woken)
    return change
