"""What makes no sense in the fees of a term is refused, with the field's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billtide.agents.rules.fee_plan import SCHEDULE_MAX
from billtide.codecs.errors import UndecodableError

from .builders import contract

if TYPE_CHECKING:
    from ..builders import Object

JANUARY = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
FEBRUARY = {"start_date": "2026-02-01", "end_date": "2026-02-28"}


@pytest.mark.parametrize(
    ("sold", "fee", "field"),
    [
        pytest.param("subscription", None, "$.fee", id="no-fee"),
        pytest.param("subscription", {"amount": "-1"}, "$.fee.amount", id="below-zero"),
        pytest.param("subscription", {"amount": "1", "milestones": [{"id": "M", "amount": "1"}]}, "$.fee.milestones", id="milestones"),
        pytest.param("fixed_fee", {"amount": "1", "estimated_cost": "1", "schedule": [JANUARY]}, "$.fee.schedule", id="fixed-fee-by-term"),
        pytest.param("subscription", {"amount": "1", "schedule": [FEBRUARY, JANUARY]}, "$.fee.schedule[1].start_date", id="out-of-order"),
        pytest.param("subscription", {"amount": "1", "schedule": [JANUARY, JANUARY]}, "$.fee.schedule[1].start_date", id="a-day-in-two-terms"),
        pytest.param("subscription", {"amount": "1", "schedule": [JANUARY | {"start_date": "2025-12-31"}]}, "$.fee.schedule[0].start_date", id="before-the-engagement"),
        pytest.param("subscription", {"amount": "1", "schedule": [JANUARY | {"end_date": "2025-12-31"}]}, "$.fee.schedule[0].end_date", id="ends-before-it-starts"),
        pytest.param("subscription", {"amount": "1", "schedule": [JANUARY | {"end_date": "2036-12-31"}]}, "$.fee.schedule[0].end_date", id="longer-than-ten-years"),
        pytest.param("subscription", {"amount": "1", "schedule": [JANUARY, FEBRUARY | {"end_date": "2027-01-01"}]}, "$.fee.schedule[1].end_date", id="after-the-engagement"),
        pytest.param("subscription", {"amount": "1", "drawdown": {}}, "$.fee.drawdown", id="subscription-drawn-down"),
        pytest.param("fixed_fee", {"amount": "1", "estimated_cost": "1", "drawdown": {}}, "$.fee.drawdown", id="fixed-fee-drawn-down"),
        pytest.param("retainer", {"amount": "1", "drawdown": {}, "billed": "arrears"}, "$.fee.billed", id="drawn-before-it-is-paid"),
        pytest.param("retainer", {"amount": "-1", "drawdown": {}}, "$.fee.amount", id="less-than-nothing-prepaid"),
        pytest.param("retainer", {"amount": "1", "drawdown": {"refill": {"threshold": "1"}}}, "$.fee.drawdown.refill", id="refill-of-nothing"),
        pytest.param("retainer", {"amount": "1", "drawdown": {"refill": {"threshold": "1", "amount": "1", "up_to": "2"}}}, "$.fee.drawdown.refill", id="refill-of-both"),
        pytest.param("retainer", {"amount": "1", "drawdown": {"refill": {"threshold": "1", "amount": "0"}}}, "$.fee.drawdown.refill.amount", id="refill-of-zero"),
        pytest.param("retainer", {"amount": "1", "drawdown": {"refill": {"threshold": "2", "up_to": "1"}}}, "$.fee.drawdown.refill.up_to", id="refill-below-the-threshold"),
        pytest.param("retainer", {"amount": "1", "schedule": [JANUARY | {"amount": "1.234"}]}, "$.fee.schedule[0].amount", id="too-fine"),
        pytest.param("retainer", {"amount": "1", "schedule": [JANUARY] * (SCHEDULE_MAX + 1)}, "$.fee.schedule", id="too-many"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(sold: str, fee: Object | None, field: str) -> None:
    """Terms of a fee that cannot be meant never become money."""
    with pytest.raises(UndecodableError) as refused:
        contract(contract_type=sold, fee=fee, end_date="2036-12-31" if "longer" in field else "2026-12-31")

    assert refused.value.field == field
