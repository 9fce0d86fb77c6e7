"""The check of what the ERP's documents have made: figures, journals and the state of every billing event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.currencies import parse_amount
from .reckoning_receivables import Answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .outputs import Written
    from .reckoning import Expected

FROM_FIGURES: Final = ("invoiced", "credited", "written_off", "receivable", "cash", "not_invoiced")
POSTED: Final = Answered()


class Wrong(NamedTuple):
    """A sum that is not as reckoned, in minor units."""

    what: str
    where: str
    found: int
    wanted: int
    currency: str


def wrong_sums(name: str, expected: Expected, written: Written) -> Iterator[Wrong]:
    """Sums of one engagement's documents that the figures or the journals show otherwise."""
    currency, due = expected.currency, expected.receivables
    for what, where, found, wanted in (
        ("invoiced", "invoice", -written.answered[name, "invoice", "unbilled_receivable", currency], due.invoiced),
        ("receivable", "invoice", written.answered[name, "invoice", "receivable", currency], due.receivable + due.cash),
        ("receivable", "payment", -written.answered[name, "payment", "receivable", currency], due.cash),
        ("cash", "payment", written.answered[name, "payment", "cash", currency], due.cash),
        ("written_off", "write_off", written.answered[name, "write_off", "revenue", currency], due.written_off),
    ):
        yield Wrong(what, f"journals of kind {where}", found, wanted, currency)
    for base in {base for of, _, _, base in written.answered if of == name}:
        gains = (written.answered[name, "fx_difference", account, base] for account in ("fx_gain", "fx_loss"))
        yield Wrong("fx_difference", "journals of kind fx_difference", -sum(gains), due.fx.get(base, 0), base)
    shown = written.figures[name]
    not_invoiced = expected.billed + expected.fees + expected.rounding - due.written_off - due.invoiced
    for what in FROM_FIGURES if due.documents else ():
        found = parse_amount(getattr(shown, what) or "0", currency, what)
        yield Wrong(what, "figures", found, not_invoiced if what == "not_invoiced" else getattr(due, what), currency)
    for base in sorted({*shown.fx_differences, *due.fx}):
        found = parse_amount(shown.fx_differences.get(base, "0"), base, "fx_differences")
        yield Wrong("fx_differences", "figures", found, due.fx.get(base, 0), base)


def wrong_states(name: str, expected: Expected, written: Written) -> Iterator[str]:
    """Billing events of one engagement that have not come as far as is told."""
    told = written.posting_states.get(name, {})
    for billing_id in sorted({*told, *expected.receivables.lines}):
        found, wanted = told.get(billing_id, POSTED), expected.receivables.lines.get(billing_id, POSTED)
        if found != wanted:
            yield f"billing event {billing_id} is {found} instead of {wanted}"
