"""The faults that `bench/mutants.py` puts into a copy of the tree, one at a time: which text becomes which."""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """A fault. old: text that stands exactly once in the file; new: what a careless hand might have written."""

    name: str
    file: str
    old: str
    new: str


SETTLEMENT = "agents/rules/settlement.py"
MUTATIONS = (
    Mutation(
        "wrong rounding",
        "agents/rules/money.py",
        "return (numerator + denominator // 2) // denominator",
        "return numerator // denominator",
    ),
    Mutation(
        "a lost reversal",
        "agents/rules/reversal.py",
        "        ledger.reverse_charge(*as_billed(entry, part, stands), part, reversed_on(part, dates), books)\n",
        "",
    ),
    Mutation(
        "exchange rate looked up again for a reversal",
        "agents/rules/ledger.py",
        "    whole = _line(version, price, (), part, contract)\n",
        "    now = books.lookups.fx_rate(version.currency, part.currency, version.work_date)\n"
        "    whole = _line(version, structs.replace(price, fx_rate=now), (), part, contract)\n",
    ),
    Mutation(
        "cap off by one minor unit",
        "agents/rules/cap.py",
        "room = limit.amount - billed_under(limit, version, engagement)",
        "room = limit.amount + 1 - billed_under(limit, version, engagement)",
    ),
    Mutation(
        "a hold released twice",
        "agents/holds.py",
        "    work.state.holds.delete(hold_key)\n    _count(engagement, known.reason, -1)\n    entry.hold = None\n",
        "    _count(engagement, known.reason, -1)\n",
    ),
    Mutation(
        "a stale revision accepted",
        "agents/entries.py",
        "elif version.revision > entry.latest.revision:",
        "elif version.revision != entry.latest.revision:",
    ),
    Mutation(
        "a duplicate decision counted",
        "agents/rules/approval.py",
        "if known.sequence >= decision.sequence:",
        "if known.sequence > decision.sequence:",
    ),
    Mutation(
        "an approval level left out",
        "agents/rules/approval.py",
        'return row["partly" if any(level not in spoken for level in levels) else "fully"]',
        'return row["fully"]',
    ),
    Mutation(
        "cost not reversed",
        "agents/rules/reversal.py",
        '    ledger.reverse_accrual("cost", stands, cost, date, books)\n',
        "",
    ),
    Mutation(
        "work in progress left open by its bill",
        SETTLEMENT,
        "accrued.live and not (keep_price and not approved)",
        "accrued.live and not keep_price",
    ),
    Mutation(
        "number of a posting not raised",
        "agents/rules/ledger.py",
        "last.ordinal if revision > last.revision else last.ordinal + 1",
        "last.ordinal",
    ),
    Mutation(
        "closed period posted to",
        "agents/rules/calendar.py",
        '        return "period_closed"\n',
        "        return date\n",
    ),
    Mutation(
        "closed period reversed in",
        "agents/rules/reversal.py",
        "date = contract.calendar_of(entity).accounting_date(posted.accounting_date)",
        "date = posted.accounting_date",
    ),
    Mutation(
        "room under a cap not offered",
        "agents/entries.py",
        "if has_open(engagement) or (charges and _has_lost_credit(charges, entry.charges)):",
        "if charges and _has_lost_credit(charges, entry.charges):",
    ),
    Mutation(
        "room under a cap not given up for earlier work",
        "agents/claims.py",
        "for item in (*losing, *gaining)]",
        "for item in gaining]",
    ),
    Mutation(
        "room under a cap taken from what is invoiced",
        "agents/rules/room.py",
        "kept = max(0, min([claim.invoiced, *rooms]))",
        "kept = 0",
    ),
    Mutation(
        "a fee billed again",
        "agents/rules/fee_terms.py",
        "effects)\n        engagement.fees_through = term.end\n",
        "effects)\n",
    ),
    Mutation(
        "a balance given back twice",
        "agents/rules/prepaid.py",
        "((before, -1), (entry.usage, 1))",
        "((before, -2), (entry.usage, 1))",
    ),
    Mutation(
        "a deferred fee earned a day early",
        "agents/rules/deferral.py",
        "days = (min(day, term.end) - term.start).days + 1\n    return",
        "days = (min(day, term.end) - term.start).days + 2\n    return",
    ),
    Mutation(
        "approved by what others bill",
        "agents/rules/weighing.py",
        "value_of(version, contract, Alone(lookups), weighed=True)",
        "value_of(version, contract, lookups, weighed=True)",
    ),
    Mutation(
        "old terms win",
        "agents/engagements.py",
        "if terms.revision <= known.terms.revision:",
        "if terms.revision == known.terms.revision:",
    ),
    Mutation(
        "deletions forgotten by a restore",
        "tables/state.py",
        "                by_tag[key[0]].pop(key, None)\n",
        "                pass\n",
    ),
    Mutation(
        "records below the position applied again",
        "app/runtime/slab.py",
        "new = self.records if self.records[0].offset >= position else _from(self.records, position)",
        "new = self.records",
    ),
    Mutation(
        "a reference change is over before its last step",
        "app/runtime/wakes.py",
        "                if self._is_done():\n                    self._reacted = self._target\n",
        "                self._reacted = self._target\n",
    ),
    Mutation(
        "an exchange difference the wrong way round",
        "agents/rules/realised.py",
        "invoice_rate += settled - carried",
        "invoice_rate += carried - settled",
    ),
    Mutation(
        "a cancelled invoice keeps what its payment realised",
        "agents/receivables.py",
        "if state.stands is not stood or waited != (missing is not None):",
        "if waited != (missing is not None):",
    ),
    Mutation(
        "a large correction passes unreviewed once it has come",
        "agents/rules/review.py",
        "    stands = chain[-1]\n",
        "    stands = chain[0]\n",
    ),
    Mutation(
        "a correction passes a closed period unreviewed",
        "agents/rules/review.py",
        'if contract.calendar.statuses(day) != {"closed"}:',
        'if contract.calendar.statuses(day) != {"future"}:',
    ),
    Mutation(
        "a charge by submission on the day of work",
        "agents/rules/dating.py",
        "return version.submitted_on if",
        "return version.work_date if",
    ),
    Mutation(
        "an invoiced line reversed instead of adjusted",
        SETTLEMENT,
        "if due and (contract.adjusts or entry.invoiced) else None",
        "if due and contract.adjusts else None",
    ),
)
