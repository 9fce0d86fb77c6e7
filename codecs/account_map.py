"""An account map version: the firm's own account numbers for the accounts of journals, by legal entity."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from .engagement import ContractType
from .errors import UndecodableError
from .journal import Account
from .wire import Id, OptionalId, Revision, Wire, decoder

TYPE: Final = "billtide.account-map.v1"


class AccountLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One account's number. What a line does not say it is for all of; the most telling line wins.

    practice: of the engagement; category: of an expense. Of two lines that say equally much, the one that names the
    category wins, then the contract type.
    """

    account: Account
    number: Id
    contract_type: ContractType | None = None
    practice: OptionalId = ""
    category: OptionalId = ""


class AccountMap(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Key is `{legal_entity_id}/{version}`. The first content of a version counts; its topic keeps all records.

    In force for accounting dates from effective_from on, until the next version; of two with the same date the higher
    version. What is posted keeps its numbers, its reversal too; a later version counts for what is posted from then on.
    """

    legal_entity_id: Id
    version: Revision
    effective_from: dt.date
    effective_to: dt.date | None = None
    lines: tuple[AccountLine, ...]


decode: Final = decoder(AccountMap)

Scope = tuple[str, str, str]
"""Category, contract type and practice that a line is for, empty where it is for all."""


class ParsedAccountMap(msgspec.Struct, frozen=True, gc=False):
    """A map version as the rules read it: numbers by account and scope."""

    legal_entity_id: str
    version: int
    effective_from: dt.date
    effective_to: dt.date | None
    numbers: dict[tuple[str, Scope], str]


def parse(sent: AccountMap) -> ParsedAccountMap:
    """Check what the types cannot say; raises UndecodableError."""
    if sent.effective_to is not None and sent.effective_to < sent.effective_from:
        raise UndecodableError("invalid_field", "$.effective_to", "it is before effective_from", "send its last date")
    numbers: dict[tuple[str, Scope], str] = {}
    for at, line in enumerate(sent.lines):
        key = (line.account, (line.category, line.contract_type or "", line.practice))
        if key in numbers:
            problem = f"a second number of {line.account} for the same category, contract type and practice"
            raise UndecodableError("invalid_field", f"$.lines[{at}]", problem, "send each combination once")
        numbers[key] = line.number
    return ParsedAccountMap(sent.legal_entity_id, sent.version, sent.effective_from, sent.effective_to, numbers)
