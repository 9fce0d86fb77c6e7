"""The check: what was written against the independent reckoning, to the minor unit and to the record."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.currencies import format_amount, parse_amount
from ...codecs.decimals import format_plain
from .reckoning_drawdown import drawdown_of, draws, holds_back
from .reckoning_intercompany import legs
from .reckoning_margins import Row, margin_rows
from .reckoning_numbers import PLACES
from .reckoning_rounding import groups, wrong_lines
from .verdict_receivables import wrong_states, wrong_sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...codecs.figures import EngagementFigures
    from .outputs import Written
    from .reckoning import Expected, Reckoning

SHOWN_MAX: Final = 20
"""Problems that are shown; the figures count all of them."""
FROM_EVENTS: Final = ("billed", "fees", "rounding", "unbilled", "earned")
"""Sums of an engagement that the events give; the figures topic has the others as well."""
FROM_FIGURES: Final = (*FROM_EVENTS, "held", "non_chargeable", "deferred", "cost")
HOURS: Final = ("submitted_hours", "approved_hours", "non_billable_hours")
"""Hours of the figures, in the order of the reckoning's."""
OVER_CAP: Final = "cap_reached"
OVER_BALANCE: Final = "balance_used_up"


class Verdict(NamedTuple):
    """What the check found. lost: records without a disposition; difference: sums of differences by currency."""

    lost: int
    duplicated: int
    difference: dict[str, int]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing at all was found."""
        return not (self.lost or self.duplicated or self.difference or self.problems)


def judge(reckoning: Reckoning, written: Written, records: int, dispositions: int) -> Verdict:
    """Compare what was written with the reckoning.

    records: how many the inputs hold, with the stream that tasks write for each other; dispositions: how many of
    them something became of (M5).
    """
    difference: Counter[str] = Counter()
    problems: list[str] = []
    for name, expected in reckoning.engagements.items():
        for problem, amount in _differences(name, expected, written):
            difference[expected.currency] += amount
            problems.append(problem)
    problems += _unreckoned(reckoning, written)
    problems += _counted_wrong(reckoning, written)
    problems += [f"journal {event_id} does not balance" for event_id in written.unbalanced]
    repeated = [event_id for event_id, count in written.ids.items() if count > 1]
    problems += [f"event id {event_id} was written {written.ids[event_id]} times" for event_id in repeated]
    return Verdict(records - dispositions, written.duplicated, dict(difference), tuple(problems))


def _differences(name: str, expected: Expected, written: Written) -> Iterable[tuple[str, int]]:
    """Each sum of one engagement that is not as reckoned, with by how much."""
    currency = expected.currency
    yield from _by_entry(expected, written)
    if expected.by_invoice is not None:
        lines = written.lines.get(name, [])
        yield from ((problem, 0) for problem in wrong_lines(expected.by_invoice, lines))
        found = groups(expected.by_invoice, lines)
        rounding = sum(group.posted if group.due is None else group.due for group in found)
        expected = replace(expected, rounding=rounding, earned=expected.earned + rounding)
    for what in FROM_EVENTS:
        sums = getattr(written, what)
        yield from _difference(name, what, "events", sums[name, currency], getattr(expected, what), currency)
    shown = written.figures.get(name)
    if shown is None:
        yield f"engagement {name} has no figures", 0
    else:
        yield from _shown_differences(name, expected, written, shown)


def _shown_differences(
    name: str, expected: Expected, written: Written, shown: EngagementFigures
) -> Iterable[tuple[str, int]]:
    """Each figure of one engagement that is not as reckoned, with by how much."""
    currency = expected.currency
    for what in FROM_FIGURES:
        amount = parse_amount(getattr(shown, what) or "0", currency, what)
        yield from _difference(name, what, "figures", amount, getattr(expected, what), currency)
    if expected.terms is not None and drawdown_of(expected.terms) is not None:
        amount = parse_amount(shown.prepaid_balance or "0", currency, "prepaid_balance")
        yield from _difference(name, "prepaid_balance", "figures", amount, expected.deferred, currency)
    if expected.loss_provision is not None:
        amount = parse_amount(shown.loss_provision or "0", currency, "loss_provision")
        yield from _difference(name, "loss_provision", "figures", amount, expected.loss_provision, currency)
    yield from ((problem, 0) for problem in _completion(name, expected, shown))
    yield from ((problem, 0) for problem in _margins(name, expected, written))
    yield from ((problem, 0) for problem in _funding(name, expected, written))
    for sums in wrong_sums(name, expected, written):
        for problem, amount in _difference(name, sums.what, sums.where, sums.found, sums.wanted, sums.currency):
            yield problem, amount if sums.currency == currency else 0
    yield from ((problem, 0) for problem in wrong_states(name, expected, written))
    yield from ((problem, 0) for problem in _numbers(name, expected, written))
    yield from _intercompany(name, expected, written)
    for what, hours in zip(HOURS, expected.hours.shown(), strict=True):
        if Fraction(getattr(shown, what)) != hours:
            wanted = format_plain(int(hours * 10**PLACES), PLACES)
            yield f"engagement {name}: {what} is {getattr(shown, what)} instead of {wanted}", 0


def _completion(name: str, expected: Expected, shown: EngagementFigures) -> Iterable[str]:
    """Estimates of cost at completion, and of what of it is to come, that are not as reckoned; unknown is not zero."""
    wanted = expected.estimate_at_completion
    to_come = None if wanted is None else wanted - expected.cost
    for what, due in (("estimate_at_completion", wanted), ("estimate_to_complete", to_come)):
        text = getattr(shown, what)
        found = None if text is None else parse_amount(text, expected.currency, what)
        if found != due:
            yield f"engagement {name}: {what} is {found} instead of {due}"


def _margins(name: str, expected: Expected, written: Written) -> Iterable[str]:
    """Rows of margin by practice and region that are not as reckoned."""
    if expected.terms is None:
        return
    shown: dict[tuple[str, str], Row] = {}
    for row in written.figures[name].margins:
        earned, cost = (parse_amount(text, expected.currency, "margins") for text in (row.earned, row.cost))
        if earned or cost:
            shown[row.practice, row.region] = earned, cost
    wanted = margin_rows(expected.terms, expected, written.billed_entries)
    for key in sorted({*shown, *wanted}):
        if shown.get(key) != wanted.get(key):
            yield f"engagement {name}: earned and cost of {key} are {shown.get(key)} instead of {wanted.get(key)}"


def _funding(name: str, expected: Expected, written: Written) -> Iterable[str]:
    """Customers who pay together and are not billed what is theirs."""
    shares = written.figures[name].funded
    shown = {customer: parse_amount(text, expected.currency, "funded") for customer, text in shares.items()}
    billed = {customer: amount for customer, amount in written.paid_by.get(name, {}).items() if amount}
    found = {"figures": shown}
    if expected.terms is not None and expected.terms.funding is not None:
        found["events"] = billed
    for where, by_customer in found.items():
        if by_customer != expected.funded:
            yield f"engagement {name}: customers pay {by_customer} instead of {expected.funded} in the {where}"


def _intercompany(name: str, expected: Expected, written: Written) -> Iterable[tuple[str, int]]:
    """What legal entities charge each other and what takes it out again, not as reckoned, in either's books."""
    if expected.terms is None:
        return
    charged = [worth.transfer for worth in expected.worths if worth.approved and worth.transfer is not None]
    wanted, found = legs(expected.terms, charged), written.legs.get(name, Counter())
    for leg in sorted({*wanted, *found}):
        for problem, amount in _difference(name, " ".join(leg), "events", found[leg], wanted[leg], leg[-1]):
            yield problem, amount if leg[-1] == expected.currency else 0
    bought = sum(charge.purchase for charge in charged)
    shown = parse_amount(written.figures[name].intercompany_cost or "0", expected.currency, "intercompany_cost")
    yield from _difference(name, "intercompany_cost", "figures", shown, bought, expected.currency)


def _numbers(name: str, expected: Expected, written: Written) -> Iterable[str]:
    """Lines of journals with another number than the account maps have, or none, where nothing is posted without."""
    agreed = None if expected.terms is None else expected.terms.policies.intercompany
    for line in sorted(written.booked.get(name, ())) if expected.bookable is not None else ():
        eliminates = agreed is not None and line[0] == agreed.elimination_entity_id
        if line not in (expected.bookable or ()) and not eliminates:
            yield f"engagement {name}: {line} is posted, which no account map has"


def _by_entry(expected: Expected, written: Written) -> Iterable[tuple[str, int]]:
    """Entries that are not billed at their price, or under caps what these let through (M1, M6, M8, M9)."""
    for worth in expected.worths:
        due = expected.by_entry.get(worth.entry_id, 0)
        billed = written.billed_entries[worth.entry_id]
        waits = expected.terms is not None and holds_back(expected.terms) and draws(expected.terms, worth)
        if billed != due and not (waits and 0 <= billed <= due):
            yield f"entry {worth.entry_id}: {billed} billed instead of {due} (M1)", 0
        days = written.charged_on.get(worth.entry_id, set())
        if worth.charged_on is not None and not days <= worth.charged_on:
            yield f"entry {worth.entry_id}: charged on {sorted(days)}, when nothing of it was approved", 0


def _difference(name: str, what: str, where: str, found: int, wanted: int, currency: str) -> Iterable[tuple[str, int]]:
    if found != wanted:
        sums = f"{format_amount(found, currency)} instead of {format_amount(wanted, currency)} {currency}"
        yield f"engagement {name}: {what} is {sums} in the {where}", abs(found - wanted)


def _unreckoned(reckoning: Reckoning, written: Written) -> Iterable[str]:
    """Money of engagements, or in currencies, that the reckoning does not know."""
    for what in FROM_EVENTS:
        for (name, currency), amount in getattr(written, what).items():
            expected = reckoning.engagements.get(name)
            if amount and (expected is None or expected.currency != currency):
                yield f"engagement {name}: {what} of {format_amount(amount, currency)} {currency} nobody reckoned with"


def _counted_wrong(reckoning: Reckoning, written: Written) -> Iterable[str]:
    """Entries, holds and dead letters that are not as many as reckoned."""
    entries = sum(state.entries for state in written.figures.values())
    yield from _count("entries", entries, reckoning.entries)
    yield from _count("dead letters", written.dead_letters.total(), reckoning.dead_letters)
    shown: Counter[str] = Counter()
    for state in written.figures.values():
        shown.update(state.held_entries)
    wanted = _held(reckoning, written)
    for where, found in (("exceptions", waiting_by_reason(written)), ("figures", shown)):
        for reason in sorted({*found, *wanted} - {OVER_BALANCE}):
            yield from _count(f"entries held by {reason} in the {where}", found[reason], wanted[reason])
    for name, expected in reckoning.engagements.items():
        count = written.waiting[name, OVER_CAP]
        yield from _count(f"engagement {name}: entries that wait for room under a cap", count, expected.cap_reached)
        count = written.waiting[name, OVER_BALANCE]
        least, most = expected.balance_least, expected.balance_most
        if not least <= count <= most:
            yield f"engagement {name}: {count} entries wait for a prepaid balance, not {least} to {most}"


def _held(reckoning: Reckoning, written: Written) -> Counter[str]:
    """Entries that wait, by reason: what waits for room under a cap as well is held for that."""
    held = Counter(reckoning.held)
    for expected in reckoning.engagements.values():
        for worth in expected.worths:
            charged = worth.price or 0 if worth.approved else 0
            if worth.waits_for is not None and written.billed_entries[worth.entry_id] != charged:
                held[worth.waits_for] -= 1
    return held


def _count(what: str, found: int, wanted: int) -> Iterable[str]:
    if found != wanted:
        yield f"{what}: {found} instead of {wanted}"


def waiting_by_reason(written: Written) -> Counter[str]:
    """Entries that wait, by reason, as the exceptions say."""
    found: Counter[str] = Counter()
    for (_, reason), count in written.waiting.items():
        found[reason] += count
    return found


def billed_by_currency(written: Written) -> dict[str, int]:
    """What was billed, fees and rounding lines included, in minor units."""
    found: Counter[str] = Counter()
    for sums in (written.billed, written.fees, written.rounding):
        for (_, currency), amount in sums.items():
            found[currency] += amount
    return dict(sorted(found.items()))


def money(sums: Mapping[str, int]) -> str:
    """Sums by currency on one line, such as `EUR:12.50,JPY:300`; `0.00` for none."""
    return ",".join(f"{currency}:{format_amount(amount, currency)}" for currency, amount in sums.items()) or "0.00"
