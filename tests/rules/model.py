"""What the money of a history must be, worked out from the records alone, with fractions and no code of the product."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from .. import builders as records

if TYPE_CHECKING:
    from collections.abc import Iterable

Name = tuple[str, str]
"""Kind and id of an entry."""
CARD = {"analyst": (Fraction("99.97"), "hour"), "partner": (Fraction("1043.21"), "day")}
COST = Fraction("61.37")
DOLLAR = Fraction("0.913")


def rounded(value: Fraction, mode: str = "half_up") -> int:
    """Round to a whole number as a mode says."""
    size, sign = abs(value), -1 if value < 0 else 1
    whole = {
        "half_up": math.floor(size + Fraction(1, 2)),
        "half_even": round(size),
        "up": math.ceil(size),
        "down": math.floor(size),
    }
    return sign * whole[mode]


def accepted(versions: Iterable[records.Object]) -> list[records.Object]:
    """The revisions that are neither duplicate nor stale: each higher than all before it."""
    kept: list[records.Object] = []
    for version in versions:
        if not kept or version["revision"] > kept[-1]["revision"]:
            kept.append(version)
    return kept


def verdicts(decisions: Iterable[records.Object], revision: int) -> dict[str, str]:
    """The verdict of each level on a revision: the highest sequence, of equal ones the first."""
    found: dict[str, records.Object] = {}
    for decision in decisions:
        known = found.get(decision["level"])
        if decision["entry_revision"] == revision and (known is None or decision["sequence"] > known["sequence"]):
            found[decision["level"]] = decision
    return {level: decision["verdict"] for level, decision in found.items()}


def standing(version: records.Object, decisions: list[records.Object], levels: list[str]) -> str:
    """draft, pending, approved or void."""
    status = version["status"]
    given = verdicts(decisions, version["revision"])
    if status in {"draft", "deleted"} or not given:
        return {"draft": "draft", "submitted": "pending", "approved": "approved"}.get(status, "void")
    if set(given.values()) != {"approved"}:
        return "void"
    return "approved" if status == "approved" or set(levels) <= set(given) else "pending"


def counting(
    versions: list[records.Object], decisions: list[records.Object], levels: list[str]
) -> tuple[records.Object | None, str]:
    """The version that counts and whether it is approved or pending."""
    pending = None
    for version in reversed(accepted(versions)):
        stands = standing(version, decisions, levels)
        if stands == "approved":
            return version, "approved"
        if stands == "pending":
            pending = pending or version
        if stands == "void" or version["status"] not in {"draft", "submitted"}:
            break
    return pending, "pending" if pending else "void"


def hours(version: records.Object, day: Fraction) -> Fraction:
    """Quantity in hours."""
    return Fraction(version["quantity"]) * {"hour": Fraction(1), "minute": Fraction(1, 60), "day": day}[version["unit"]]


def lines(expense: records.Object) -> list[records.Object]:
    """The items of an expense, or itself."""
    return expense.get("items") or [expense]


def borne(line: records.Object) -> Fraction:
    """What a line costs the firm, in cents of what was spent."""
    tax = Fraction(line.get("tax_amount", "0")) if line.get("tax_recoverable") else 0
    return (Fraction(line["amount"]) - Fraction(line.get("personal_amount", "0")) - tax) * 100


def charged(line: records.Object, agreed: records.Object, currency: str) -> Fraction:
    """What the customer pays for a line, in cents of EUR before rounding."""
    own = next((own for own in agreed.get("categories", ()) if own["category"] == line["category"]), agreed)
    policy = own.get("policy", "at_cost")
    if policy == "non_billable":
        return Fraction(0)
    if policy == "unit_price":
        share = 1 - Fraction(line["personal_amount"]) / Fraction(line["amount"])
        return Fraction(line["quantity"]) * Fraction(own["unit_price"]) * share * 100
    mark_up = Fraction(own["mark_up_percent"]) / 100 if policy == "mark_up" else 0
    price = borne(line) * (DOLLAR if currency == "USD" else 1) * (1 + mark_up)
    if "line_cap" not in own:
        return price
    cap = Fraction(own["line_cap"]) * 100
    return max(-cap, min(price, cap))


class Expected:
    """What stands after some records: by entry, in minor units of EUR."""

    def __init__(self, terms: records.Object, steps: Iterable[tuple[str, records.Object]]) -> None:
        self.terms = terms
        self.policies = terms.get("policies", {})
        self.day = Fraction(self.policies.get("hours_per_day", "8"))
        self.dollars = False
        versions: dict[Name, list[records.Object]] = {}
        decisions: dict[Name, list[records.Object]] = {}
        for stream, sent in steps:
            if stream in {"time-entries", "expenses"}:
                versions.setdefault(("time" if stream == "time-entries" else "expense", sent["id"]), []).append(sent)
            elif stream == "approvals":
                decisions.setdefault((sent["entry_type"], sent["entry_id"]), []).append(sent)
            elif stream == "resources":
                self.dollars = sent["cost_rates"][0]["currency"] == "USD"
        levels = self.policies.get("approval_levels", [])
        self.counts = {name: counting(sent, decisions.get(name, []), levels) for name, sent in versions.items()}

    def unreceipted(self, version: records.Object) -> bool:
        """Whether a version waits for its receipt: hotels above a limit in EUR have one."""
        limit = next((own.get("receipt_above") for own in self.terms.get("expenses", {}).get("categories", ())), None)
        if limit is None or version.get("receipt", True):
            return False
        spent = sum(Fraction(line["amount"]) for line in lines(version) if line["category"] == "hotel")
        return spent * (DOLLAR if version["currency"] == "USD" else 1) > Fraction(limit)

    def price(self, name: Name) -> int:
        """Price of the version that counts, 0 when there is none or the customer does not pay for it."""
        version, _ = self.counts[name]
        if version is None or not version.get("billable", True) or self.unreceipted(version):
            return 0
        rounding = self.policies.get("rounding", "half_up")
        if name[0] == "expense":
            agreed = self.terms.get("expenses", {})
            return sum(rounded(charged(line, agreed, version["currency"]), rounding) for line in lines(version))
        if self.terms["contract_type"] == "fixed_fee":
            return 0
        rate, unit = (Fraction(version["rate"]), "hour") if "rate" in version else CARD[version["role"]]
        if "rate" not in version and version.get("work_type") == "overtime" and "multipliers" in self.policies:
            rate *= Fraction("1.15")
        return rounded(self.billed_hours(version, unit) / (self.day if unit == "day" else 1) * rate * 100, rounding)

    def billed_hours(self, version: records.Object, rate_unit: str) -> Fraction:
        """Hours the customer pays for: the billable ones, in half days at a day rate or in whole units, as agreed."""
        billable = hours(version | {"quantity": version.get("billable_quantity", version["quantity"])}, self.day)
        if rate_unit == "day" and "day_rounding" in self.policies:
            halves = math.ceil(billable / self.day * 2)
            return self.day / 2 * (halves if version["unit"] == "day" else min(halves, 2))
        if billable and (agreed := self.policies.get("time_rounding")):
            units = math.ceil(billable * 60 / agreed["unit_minutes"])
            return Fraction(max(units * agreed["unit_minutes"], agreed["minimum_minutes"]), 60)
        return billable

    def billed(self, name: Name) -> int:
        """What billing lines of the entry sum to without a cap (M1)."""
        return self.price(name) if self.counts[name][1] == "approved" else 0

    def unbilled(self, name: Name) -> int:
        """Open work in progress of the entry (M2)."""
        pending = self.counts[name][1] == "pending" and self.policies.get("accrue_at", "submission") == "submission"
        return self.price(name) if pending else 0

    def cost(self, name: Name) -> int:
        """Cost of the entry in EUR."""
        version, stands = self.counts[name]
        if (
            version is None
            or self.unreceipted(version)
            or (stands == "pending" and self.policies.get("accrue_at", "submission") != "submission")
        ):
            return 0
        foreign = version["currency"] == "USD" if name[0] == "expense" else self.dollars
        spent = sum(map(borne, lines(version))) if name[0] == "expense" else hours(version, self.day) * COST * 100
        cost = rounded(spent)
        return rounded(cost * DOLLAR) if foreign else cost

    def recognised(self) -> int:
        """Revenue of a fixed fee by cost to cost."""
        fee = self.terms.get("fee")
        if fee is None:
            return 0
        approved = sum(self.cost(name) for name, (_, stands) in self.counts.items() if stands == "approved")
        estimate = Fraction(fee["estimated_cost"]) * 100
        return rounded(Fraction(fee["amount"]) * 100 * min(Fraction(approved), estimate) / estimate)
