"""An approval decision about one revision of an entry, by one approver at one level."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec

from .wire import Id, OptionalId, Revision, Wire, decoder

TYPE: Final = "billtide.approval.v1"

EntryType = Literal["time", "expense"]
ApprovalLevel = Literal["manager", "project", "finance"]
Verdict = Literal["approved", "rejected", "recalled"]
ApprovalTarget = Literal["entry", "correction"]


class Approval(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What an approver decided. Key is engagement_id.

    Decisions about the same entry, revision and level are ordered by `sequence`: the highest counts, of equal ones
    one that withdraws. From the same people and day the same sequence again is a duplicate, a lower one is stale. A
    decision may arrive before the entry it is about. on_behalf_of: the approver whose delegate approver_id is;
    decided_on: the day by which approvers and delegates are found valid. target: what is decided, the revision
    itself, or by finance that it may correct a bill by more than the terms' `review_above`, or in a closed period where
    they ask for that: approved releases it, rejected leaves what stands, recalled lets it wait again.
    """

    source: Id
    entry_type: EntryType = "time"
    entry_id: Id
    entry_revision: Revision
    engagement_id: Id
    verdict: Verdict
    level: ApprovalLevel = "manager"
    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**53)] = 1
    approver_id: OptionalId = ""
    reason: str = ""
    on_behalf_of: OptionalId = ""
    decided_on: dt.date | None = None
    target: ApprovalTarget = "entry"


decode: Final = decoder(Approval)
