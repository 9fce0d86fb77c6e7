"""What goes wrong on the way: records that come twice, and records that nobody can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs import approval, cloudevents, engagement, expense, invoice, payment, rate_card, time_entry
from .happenings import FRIDAY, MINUTE_MILLISECONDS, Happening, Sent, chance, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

REPEATED_PERCENT: Final = 2
"""Of the records of the week, how many are sent once more, byte for byte."""
_SENT_AGAIN_MINUTES: Final = (1, 240)
_FIRST_MINUTE: Final = 15 * 60


class Broken(NamedTuple):
    """A record nobody can read, and the reason its dead letter will carry."""

    stream: str
    key: str
    value: str
    event_type: str
    reason: str


_TIME = (
    '{"source":"psa","id":"T-BROKEN-%s","revision":1,"engagement_id":"E-0001","resource_id":"R-0001",'
    '"work_date":"2025-11-07","quantity":%s,"status":"%s"%s}'
)
BROKEN: Final = (
    Broken("time-entries", "E-0001", '{"source":"psa","id":"T-BROKEN-1",', time_entry.TYPE, "malformed"),
    Broken("time-entries", "E-0001", _TIME % (2, '"7,5"', "approved", ""), time_entry.TYPE, "invalid_field"),
    Broken("time-entries", "E-0001", _TIME % (3, "7.5", "approved", ""), time_entry.TYPE, "invalid_field"),
    Broken("time-entries", "E-0001", _TIME % (4, '"8"', "done", ""), time_entry.TYPE, "invalid_field"),
    Broken("time-entries", "E-0002", _TIME % (5, '"8"', "approved", ""), time_entry.TYPE, "key_mismatch"),
    Broken(
        "time-entries",
        "E-0001",
        _TIME % (6, '"8"', "approved", ',"schema_version":2'),
        time_entry.TYPE,
        "unsupported_version",
    ),
    Broken("time-entries", "E-0001", "", time_entry.TYPE, "empty"),
    Broken("time-entries", "E-0001", _TIME % (7, '"8"', "approved", ""), expense.TYPE, "wrong_type"),
    Broken(
        "expenses",
        "E-0001",
        '{"source":"spend","id":"X-BROKEN-1","revision":1,"engagement_id":"E-0001","resource_id":"R-0001",'
        '"spent_on":"2025-11-07","category":"rail","amount":"12.00","currency":"EURO","status":"approved"}',
        expense.TYPE,
        "invalid_field",
    ),
    Broken(
        "expenses",
        "E-0001",
        '{"source":"spend","id":"X-BROKEN-2","revision":1,"engagement_id":"E-0001","resource_id":"R-0001",'
        '"spent_on":"2025-11-07","category":"rail","amount":"12.50","currency":"JPY","status":"approved"}',
        expense.TYPE,
        "invalid_field",
    ),
    Broken("approvals", "E-0001", "approved", approval.TYPE, "malformed"),
    Broken(
        "engagements",
        "E-9003",
        '{"source":"crm","id":"E-9003","revision":1,"customer_id":"C-001","legal_entity_id":"DE-GMBH","currency":"EUR",'
        '"contract_type":"fixed_fee","start_date":"2025-11-01"}',
        engagement.TYPE,
        "invalid_field",
    ),
    Broken(
        "invoices",
        "E-0003",
        '{"source":"erp","id":"INV-BROKEN","revision":1,"engagement_id":"E-0003","kind":"credit_note","number":"B-1",'
        '"issued_on":"2025-11-07","currency":"EUR","lines":[{"billing_id":"psa:time:T-1:1:billing:0","amount":"1"}]}',
        invoice.TYPE,
        "invalid_field",
    ),
    Broken(
        "payments",
        "E-0003",
        '{"source":"erp","id":"PAY-BROKEN","revision":1,"engagement_id":"E-0003","received_on":"2025-11-07",'
        '"amount":"1","currency":"EUR","allocations":[{"invoice_id":"INV-E-0003-1","amount":"2"}]}',
        payment.TYPE,
        "invalid_field",
    ),
    Broken("rate-cards", "broken/1", '{"id":"broken","version":1', rate_card.TYPE, "malformed"),
)
"""Every reason a dead letter can have, at least once."""


def undecodable(seed: int) -> list[tuple[str, Sent]]:
    """The records nobody can read, each with its stream, spread over Friday afternoon."""
    rng = chance(seed, "undecodable")
    sent: list[tuple[str, Sent]] = []
    for number, broken in enumerate(BROKEN):
        headers = cloudevents.headers(broken.event_type, f"broken:{number}")
        at = moment(FRIDAY, _FIRST_MINUTE, rng.randrange(120 * MINUTE_MILLISECONDS))
        sent.append((broken.stream, Sent(broken.key.encode(), broken.value.encode() or None, headers, at)))
    return sent


def repeated(seed: int, happenings: Sequence[Happening]) -> list[Happening]:
    """Some of the happenings again, a while later."""
    rng = chance(seed, "repeated")
    chosen = rng.sample(range(len(happenings)), len(happenings) * REPEATED_PERCENT // 100)
    again = (happenings[at] for at in sorted(chosen))
    return [what._replace(at=what.at + rng.randint(*_SENT_AGAIN_MINUTES) * MINUTE_MILLISECONDS) for what in again]
