"""Prepaid balances of the firm's retainers: how work uses them up, what refills them, what becomes of the rest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import msgspec

from ...codecs.engagement import Drawdown, Fee, FeeTerm, Refill
from .offices import amount_text

if TYPE_CHECKING:
    from collections.abc import Callable

DRAWN_DOWN: Final = (91, 92, 93, 94, 95)
"""Retainers whose fee is a prepaid balance."""
USED_UP: Final = 92
"""The one whose balance is small, so that work waits for the next."""
_NOVEMBER: Final = tuple(dt.date(2025, 11, day) for day in (1, 4, 5, 7, 8, 30))


def drawn_down(number: int, currency: str, agreed: Fee) -> Fee:
    """The fee of one of these retainers: prepaid by month, or by terms that end in the week."""
    prepaid = msgspec.structs.replace(agreed, term="month", billed="advance", drawdown=_AGREED[number](currency))
    first, second, third = (
        FeeTerm(start_date=start, end_date=end) for start, end in zip(_NOVEMBER[::2], _NOVEMBER[1::2], strict=True)
    )
    small = amount_text(150_000, currency)
    short = tuple(msgspec.structs.replace(term, amount=small) for term in (first, second, third))
    schedules = {USED_UP: short, 93: (first, second, third), 94: (first, second), 95: (first, second)}
    return msgspec.structs.replace(
        prepaid, schedule=schedules.get(number, ()), billed_terms="keep" if number in schedules else "rebill"
    )


def _refilled_at_once(currency: str) -> Drawdown:
    refill = Refill(threshold=amount_text(100_000, currency), amount=amount_text(250_000, currency))
    return Drawdown(unused="refund", rest="expire", refill=refill)


def _filled_up(currency: str) -> Drawdown:
    refill = Refill(threshold=amount_text(500_000, currency), up_to=amount_text(1_500_000, currency))
    return Drawdown(overage="absorb", rest="refund", includes_expenses=False, refill=refill)


_AGREED: Final[dict[int, Callable[[str], Drawdown]]] = {
    91: lambda _: Drawdown(),
    USED_UP: lambda _: Drawdown(overage="hold", unused="expire"),
    93: lambda _: Drawdown(overage="absorb", unused="refund", includes_expenses=False),
    94: _refilled_at_once,
    95: _filled_up,
}
