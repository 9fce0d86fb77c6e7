"""All claims on the room under one engagement's caps, in their order, and who has what is another's.

Kept only to be quick, and only while something of the engagement is open. Claims stand in blocks of their order. Each
block remembers what is used up before it, so that a change is followed from its own block to the first behind it where
nothing differs: past the entries that it moves, and not through the history of the engagement. Blocks that have all
they ask for are passed over while there is room for them. Caps of which no more is asked than they have let everything
through, and are left out.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Iterable
from typing import Final

from ..codecs.entry_state import EntryState
from .rules.cap import billed_of
from .rules.limits import Limit
from .rules.room import Claim, Share, Under, claim_of, keeps, share_of

BLOCK_MAX: Final = 32
"""Claims in a block."""


class _Item:
    """A claim, what it has kept and what its share is; and what stands billed and held of the entry."""

    __slots__ = ("billed", "claim", "held", "kept", "share", "under")

    def __init__(self, claim: Claim) -> None:
        self.claim: Final = claim
        self.under: list[Under] = []
        self.kept = self.billed = self.held = 0
        self.share = Share(0, 0)

    def is_wrong(self) -> bool:
        """Whether something else stands than its share."""
        return self.billed != self.share.billed or self.held != self.share.through - self.share.billed


class _Block:
    """Items that follow each other. before: what is used of each cap by all before them; changed: to be shared anew.

    whole: what they ask of each cap where they have all of it, else None.
    """

    __slots__ = ("before", "changed", "items", "whole")

    def __init__(self, items: list[_Item]) -> None:
        self.items: Final = items
        self.before: dict[str, int] = {}
        self.changed = True
        self.whole: dict[str, int] | None = None

    def look(self) -> None:
        """See whether all have what they ask for."""
        self.whole, asked = None, dict[str, int]()
        for item in self.items:
            if item.share.billed != item.claim.amount:
                return
            for _, account in item.under:
                asked[account] = asked.get(account, 0) + item.claim.amount - item.kept
        self.whole = asked


def _place(item: _Item) -> tuple[dt.date, bytes]:
    return item.claim[:2]


def _first_place(block: _Block) -> tuple[dt.date, bytes]:
    return block.items[0].claim[:2]


class Claims:
    """Claims of one engagement under its caps, which are `limits`."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        """Start without any."""
        self.limits: Final = limits
        self._items: Final[dict[bytes, _Item]] = {}
        self._blocks: Final[list[_Block]] = [_Block([])]
        self._asked: Final[dict[str, int]] = {}
        self._caps: Final[dict[str, Limit]] = {}
        self._tight: Final[set[str]] = set()
        self._wrong: Final[set[bytes]] = set()
        self._all_changed = True

    def put(self, key: bytes, entry: EntryState) -> None:
        """Take over what has become of an entry."""
        claim = claim_of(key, entry, self.limits) if entry.approved_value else None
        item = self._items.get(key)
        if item is not None and item.claim != claim:
            self._remove(item)
            item = None
        if claim is None:
            return
        if item is None:
            item = self._items[key] = _Item(claim)
            self._block_of(item, 1)
            self._ask(item, 1)
        item.billed, item.held = billed_of(entry), entry.held_value
        self._judge(item)

    def wrong(self) -> list[tuple[bytes, Share]]:
        """Entries that have another share than theirs: those that give up, the latest first, then those that gain."""
        self._share()
        found = sorted([self._items[key] for key in self._wrong], key=_place)
        losing = [item for item in reversed(found) if item.billed > item.share.billed]
        gaining = [item for item in found if item.billed <= item.share.billed]
        return [(item.claim.key, item.share) for item in (*losing, *gaining)]

    def _remove(self, item: _Item) -> None:
        del self._items[item.claim.key]
        self._wrong.discard(item.claim.key)
        self._block_of(item, -1)
        self._ask(item, -1)

    def _block_of(self, item: _Item, sign: int) -> None:
        """Put an item into its block, or with a sign of -1 take it out; a block that has become long is cut in two."""
        blocks, at = self._blocks, 0
        if len(blocks) > 1:
            at = max(0, bisect.bisect_right(blocks, _place(item), key=_first_place) - 1)
        block = blocks[at]
        block.changed = True
        if sign > 0:
            bisect.insort(block.items, item, key=_place)
        else:
            del block.items[bisect.bisect_left(block.items, _place(item), key=_place)]
        if len(block.items) > BLOCK_MAX:
            half = len(block.items) // 2
            blocks.insert(at + 1, _Block(block.items[half:]))
            del block.items[half:]
        elif not block.items and len(blocks) > 1:
            del blocks[at]
            if at < len(blocks):
                blocks[at].before, blocks[at].changed = block.before, True

    def _ask(self, item: _Item, sign: int) -> None:
        """Count what is asked of each cap; where other caps matter now, or others have first, all is shared anew."""
        claim = item.claim
        for limit, account in claim.under:
            self._caps[account] = limit
            asked = self._asked[account] = self._asked.get(account, 0) + sign * claim.amount
            if (asked > limit.amount + limit.tolerance) != (account in self._tight):
                self._tight.symmetric_difference_update((account,))
                self._all_changed = True
        if claim.amount < 0 or claim.invoiced > 0:
            self._all_changed = True
        item.under = [one for one in claim.under if one[1] in self._tight]

    def _share(self) -> None:
        """Share out anew what has changed."""
        if self._all_changed:
            self._begin()
        changed = [at for at, block in enumerate(self._blocks) if block.changed]
        if not changed:
            return
        used = dict(self._blocks[changed[0]].before)
        for at in range(changed[0], len(self._blocks)):
            block = self._blocks[at]
            if at > changed[-1] and block.before == used:
                return
            block.before = dict(used)
            if not block.changed and block.whole is not None and self._have_room(block.whole, used):
                continue
            block.changed = False
            for item in block.items:
                item.share = share_of(item.claim, item.kept, item.under, used)
                self._judge(item)
            block.look()

    def _have_room(self, asked: dict[str, int], used: dict[str, int]) -> bool:
        """Whether the caps have room for what is asked; then it is used."""
        if any(used.get(account, 0) + amount > self._caps[account].amount for account, amount in asked.items()):
            return False
        for account, amount in asked.items():
            used[account] = used.get(account, 0) + amount
        return True

    def _begin(self) -> None:
        """What is used before the first block: by credits, then by what stands on invoices."""
        used: dict[str, int] = {}
        items = [item for block in self._blocks for item in block.items]
        for item in items:
            item.under = [one for one in item.claim.under if one[1] in self._tight]
            item.kept = 0
        for item in (*_credits(items), *_invoiced(items)):
            item.kept = keeps(item.claim, used)
        for block in self._blocks:
            block.changed = True
        self._blocks[0].before = {account: amount for account, amount in used.items() if account in self._tight}
        self._all_changed = False

    def _judge(self, item: _Item) -> None:
        if item.is_wrong():
            self._wrong.add(item.claim.key)
        else:
            self._wrong.discard(item.claim.key)


def _credits(items: Iterable[_Item]) -> Iterable[_Item]:
    return [item for item in items if item.claim.amount < 0]


def _invoiced(items: Iterable[_Item]) -> Iterable[_Item]:
    return [item for item in items if item.claim.amount > 0 and item.claim.invoiced > 0]
