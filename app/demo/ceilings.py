"""Caps of the firm's capped engagements: on the whole, on tasks, purchase orders, people, days, weeks and months."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...codecs.engagement import Cap, PartialCap
from .offices import amount_text

if TYPE_CHECKING:
    import random

    from ...codecs.engagement import Engagement

RAISED_CAP: Final = 52
"""Engagement whose cap is reached in the week and raised after it."""
LOWERED_CAP: Final = 63
"""Engagement whose cap is lowered after the week, back in time: what is billed above it is taken back."""
OTHER_TASKS: Final = 64
"""Engagement whose purchase order is given other tasks after the week, and some tolerance."""
STOPPED: Final = 65
"""Engagement whose cap stops: what lies beyond it is not charged, until the cap is raised after the week."""
_SENIORS: Final = tuple(f"R-{number:04}" for number in range(1, 61))


def caps(rng: random.Random, number: int, currency: str) -> dict[str, Any]:
    """The caps of the capped engagement with this number, as fields of its terms."""
    amount = amount_text(800_000 if number == RAISED_CAP else rng.randint(12, 45) * 100_000, currency)
    whole = Cap(amount=amount, includes_expenses=number == RAISED_CAP or number % 3 > 0)
    few, some = amount_text(rng.randint(2, 4) * 100_000, currency), amount_text(rng.randint(5, 8) * 100_000, currency)
    fields: dict[int, dict[str, Any]] = {
        53: {"cap": msgspec.structs.replace(whole, mode="hold")},
        54: {"cap": msgspec.structs.replace(whole, tolerance=amount_text(50_000, currency))},
        55: {"caps": tuple(PartialCap(id=f"only task-{n}", amount=few, tasks=(f"task-{n}",)) for n in (1, 2, 3))},
        56: {"cap": None, "caps": (PartialCap(id="PO-4711", amount=some, tasks=("task-1", "task-2", "task-3")),)},
        57: {"caps": (PartialCap(id="seniors", amount=few, resources=_SENIORS, includes_expenses=False),)},
        58: {"cap": None, "caps": (PartialCap(id="daily", amount=few, per="day"),)},
        59: {"caps": (PartialCap(id="weekly", amount=some, per="week", mode="hold"),)},
        60: {"caps": (PartialCap(id="monthly", amount=some, per="month"),)},
        61: {"caps": (PartialCap(id="by task and day", amount=few, per="day", tasks=("task-4", "task-5")),)},
        62: {"caps": (PartialCap(id="PO-4712", amount=some, tolerance=amount_text(20_000, currency)),)},
        STOPPED: {"cap": msgspec.structs.replace(whole, amount=amount_text(400_000, currency), mode="stop")},
        66: {"cap": None, "caps": (PartialCap(id="stops weekly", amount=some, per="week", mode="stop"),)},
        64: {"caps": (PartialCap(id="PO-4713", amount=few, tasks=("task-1",)),)},
    }
    return {"cap": whole, **fields.get(number, {})}


def other_caps(number: int, first: Engagement) -> dict[str, Any]:
    """Caps of an engagement's second revision, as fields of its terms; none where they stay."""
    currency = first.currency
    if number == RAISED_CAP:
        return {"cap": Cap(amount=amount_text(1_500_000, currency))}
    if number == STOPPED and first.cap is not None:
        return {"cap": msgspec.structs.replace(first.cap, amount=amount_text(800_000, currency))}
    if number == LOWERED_CAP:
        return {"cap": Cap(amount=amount_text(400_000, currency))}
    if number == OTHER_TASKS:
        order = PartialCap(
            id="PO-4713",
            amount=amount_text(250_000, currency),
            tasks=("task-2", "task-3"),
            tolerance=amount_text(10_000, currency),
        )
        return {"caps": (order,)}
    return {}
