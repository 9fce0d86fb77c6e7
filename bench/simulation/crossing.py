"""What crosses currencies and systems: ways to convert, and account maps that contracts wait for.

Chosen by a chance of its own for each contract, and kept through all its revisions: what waits for a number from the
first revision on has never posted anything without.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import TYPE_CHECKING, get_args

import msgspec

from billtide.codecs.account_map import AccountLine, AccountMap
from billtide.codecs.fx_policy import AgreedFxRate, FxPolicy
from billtide.codecs.fx_rate import FxRate
from billtide.codecs.journal import Account

from .agreed import PLACES, rarely

if TYPE_CHECKING:
    from billtide.app.demo.happenings import Thing
    from billtide.codecs.engagement import Engagement

HUB = "USD"
HALVES = (
    (dt.date(2025, 8, 1), dt.date(2025, 10, 20), "1.0731"),
    (dt.date(2025, 10, 21), dt.date(2025, 12, 31), "0.37"),
)


def agreed_so(chance: Random, terms: Engagement) -> Engagement:
    """The first revision of terms with a way to convert; some post nothing without account numbers."""
    unmapped = "hold" if rarely(chance, 5) else "abstract_name"
    return _with(terms, fx_policy=_fx_policy(chance, terms.currency), unmapped_account=unmapped)


def again(chance: Random, revised: Engagement, first: Engagement) -> Engagement:
    """A later revision: it waits for numbers as the first one does, and now and then converts in another way."""
    before = first.policies
    fx = _fx_policy(chance, first.currency) if rarely(chance, 3) else before.fx_policy
    return _with(revised, fx_policy=fx, unmapped_account=before.unmapped_account)


def _with(terms: Engagement, **fields: object) -> Engagement:
    return msgspec.structs.replace(terms, policies=msgspec.structs.replace(terms.policies, **fields))


def _fx_policy(chance: Random, currency: str) -> FxPolicy | None:
    """How a contract converts, if not by the plain rate of the pair."""
    if not rarely(chance, 3):
        return None
    fixed = [base for base in PLACES if base != currency]
    return FxPolicy(
        rate_type=chance.choice(("", "", "average")),
        quotation=chance.choice(("direct", "either", "either")),
        base_currency=chance.choice((None, None, HUB, "JPY")),
        agreed_rates=(AgreedFxRate(base=chance.choice(fixed), rate="0.77701"),) if rarely(chance, 3) else (),
    )


def averages(chance: Random) -> tuple[list[Thing], list[Thing]]:
    """Rates of a kind of their own, each pair quoted one way only; some come late or never."""
    known: list[Thing] = []
    late: list[Thing] = []
    for quote in PLACES:
        for start, end, rate in HALVES if quote != HUB else ():
            way = chance.choice(("known", "known", "late", "never"))
            made = FxRate(base=HUB, quote=quote, valid_from=start, valid_to=end, rate=rate, rate_type="average")
            if way != "never":
                (late if way == "late" else known).append(made)
    return known, late


def account_maps(chance: Random, entities: tuple[str, ...]) -> tuple[list[Thing], list[Thing]]:
    """A map of each legal entity: whole from the start, whole in the end, or never."""
    known: list[Thing] = []
    late: list[Thing] = []
    for entity in entities:
        way = chance.choice(("known", "late", "late", "completed", "never"))
        if way in {"completed", "never"}:
            known.append(_map(entity, 1, chance.choice(get_args(Account)[:9])))
        if way != "never":
            (known if way == "known" else late).append(_map(entity, 2))
    return known, late


def _map(entity: str, version: int, lacking: str = "") -> AccountMap:
    lines = [AccountLine(account=each, number=f"{version}-{each}") for each in get_args(Account) if each != lacking]
    own = AccountLine(account="project_expense", number="6650", category="meal")
    return AccountMap(legal_entity_id=entity, version=version, effective_from=dt.date(2025, 1, 1), lines=(*lines, own))
