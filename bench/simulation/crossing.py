"""What crosses currencies, legal entities and systems: ways to convert, transfer prices, account maps.

Chosen by a chance of its own for each contract. Whether it waits for account numbers, and for what other legal entities
post, is kept through all its revisions: what could stand without does not stand for ever because of the order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, get_args

import msgspec

from billtide.codecs.account_map import AccountLine, AccountMap
from billtide.codecs.fx_policy import AgreedFxRate, FxPolicy
from billtide.codecs.fx_rate import FxRate
from billtide.codecs.intercompany import Intercompany, TransferPolicy
from billtide.codecs.journal import Account
from billtide.codecs.rate_card import RateCard, RateLine

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
    lent = _intercompany(chance) if rarely(chance, 3) else None
    fx = _fx_policy(chance, terms.currency)
    return _with(terms, fx_policy=fx, unmapped_account=unmapped, intercompany=lent)


def again(chance: Random, revised: Engagement, first: Engagement) -> Engagement:
    """A later revision: it waits for numbers as the first one does, and now and then converts in another way."""
    before = first.policies
    fx = _fx_policy(chance, first.currency) if rarely(chance, 3) else before.fx_policy
    lent = before.intercompany
    if lent is not None and rarely(chance, 3):
        lent = _intercompany(chance)
    return _with(revised, fx_policy=fx, unmapped_account=before.unmapped_account, intercompany=lent)


def _intercompany(chance: Random) -> Intercompany:
    """What people of other legal entities are charged at."""
    way: TransferPolicy = chance.choice(("cost", "cost_plus", "percent_of_sale", "rate_card", "rate_card"))
    percent = chance.choice(("7.5", "33.3333", "0")) if way in {"cost_plus", "percent_of_sale"} else None
    return Intercompany(transfer_price=way, percent=percent, currency=chance.choice((None, None, "USD")))


def _with(terms: Engagement, **fields: object) -> Engagement:
    return msgspec.structs.replace(terms, policies=msgspec.structs.replace(terms.policies, **fields))


def _fx_policy(chance: Random, currency: str) -> FxPolicy | None:
    """How a contract converts, if not by the plain rate of the pair."""
    if not rarely(chance, 3):
        return None
    fixed = [base for base in PLACES if base != currency]
    return FxPolicy(
        date=chance.choice(("work_date", "work_date", "approval_date")),
        rate_type=chance.choice(("", "", "average")),
        quotation=chance.choice(("direct", "either", "either")),
        base_currency=chance.choice((None, None, HUB, "JPY")),
        agreed_rates=(AgreedFxRate(base=chance.choice(fixed), rate="0.77701"),) if rarely(chance, 3) else (),
    )


def references(chance: Random, entities: tuple[str, ...]) -> Iterator[tuple[list[Thing], list[Thing]]]:
    """Reference data that is known before the load, and that comes during it."""
    yield _averages(chance)
    yield _transfer_cards(chance, entities)
    yield _account_maps(chance, entities)


def _averages(chance: Random) -> tuple[list[Thing], list[Thing]]:
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


def _transfer_cards(chance: Random, entities: tuple[str, ...]) -> tuple[list[Thing], list[Thing]]:
    """Rates at which legal entities charge each other; some come late or never, none is for each kind of work."""
    known: list[Thing] = []
    late: list[Thing] = []
    for entity in entities:
        others = [other for other in entities if other != entity]
        for scope_id in (entity, f"{entity}/{chance.choice(others)}"):
            for currency in PLACES:
                way = chance.choice(("known", "late", "never"))
                lines = (RateLine(role="analyst", rate="70.005"), RateLine(role="partner", rate="901.5", unit="day"))
                lines += (RateLine(rate="55.5"),) if rarely(chance, 2) else ()
                lines += (RateLine(resource_id="R3", rate="61.61"), RateLine(region="north", rate="58.005"))
                card = RateCard(
                    schema_version=2, id=f"transfer-{scope_id}-{currency}", version=1, scope="intercompany",
                    scope_id=scope_id, currency=currency, effective_from=dt.date(2025, 8, 1), lines=lines,
                )  # fmt: skip
                if way != "never":
                    (late if way == "late" else known).append(card)
    return known, late


def _account_maps(chance: Random, entities: tuple[str, ...]) -> tuple[list[Thing], list[Thing]]:
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
