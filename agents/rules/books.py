"""What one settlement works on: an engagement's figures, its contract, what can be looked up, what goes out."""

from __future__ import annotations

import msgspec

from ...codecs.records import EngagementState
from .contract import Contract
from .effects import Effects
from .room import Share
from .valuation import Lookups


class Books(msgspec.Struct, frozen=True, gc=False):
    """The engagement's figures are changed in place, always together with the effects that explain the change.

    share: what the room under caps has been shared out to the entry; None where it takes what there is.
    """

    engagement: EngagementState
    contract: Contract
    lookups: Lookups
    effects: Effects
    share: Share | None = None
