"""An engagement's figures for people: money to the right, and what a held entry waits for in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from .output import Column, write_table

if TYPE_CHECKING:
    from ...codecs.exception import HoldReason
    from ...codecs.figures import EngagementFigures

WAITS: Final[dict[HoldReason, str]] = {
    "engagement_unknown": "its engagement's terms have not arrived; send them to `engagements`",
    "assignment_unknown": "its assignment has not arrived; send it to `assignments`",
    "period_unknown": "no accounting period covers its date; send the period to `periods`",
    "period_closed": "its accounting period is closed; reopen it, or move the date",
    "period_future": "its accounting period has not begun; it goes on by itself when the period opens",
    "resource_unknown": "its person is unknown; send the resource with its cost rates to `resources`",
    "cost_rate_missing": "its person has no cost rate on that date; send one that is effective then",
    "rate_missing": "no rate card prices it; send a card version, or a rate with the engagement",
    "fx_rate_missing": "an exchange rate is missing on its date; send one to `fx-rates`",
    "cap_reached": "it lies over the cap; raise the cap, or take something else back",
    "amount_beyond_limit": "its price or cost is too large to be meant; send the entry, its rates or the terms again",
    "approver_not_allowed": "somebody decided whom the terms do not name; let an approver decide, or send new terms",
    "unit_price_missing": "no unit price of its category and unit; send one with the expense terms or the expense",
    "period_too_long": "its accounting period is too long to bill fees in; send it in periods of a year or less",
    "balance_used_up": "the prepaid balance is used up; it goes on with the next fee or refill",
    "account_unmapped": "its legal entity's account map lacks a number; send a version to `account-maps`",
    "approval_date_unknown": "nobody says on which day it was approved; send the approval again with `decided_on`",
    "submission_date_unknown": "it does not say on which day it was submitted; send a revision with `submitted_on`",
    "receipt_missing": "its receipt is missing; send a revision of the expense that says there is one",
    "cap_stopped": "it lies beyond a cap that stops, so the customer does not pay it; a higher cap brings it back",
    "billing_unknown": "it names a billing event of an entry that has not arrived; send it, or correct the line",
    "invoice_unknown": "it names an invoice that has not arrived or waits itself; send it, or correct the id",
    "awaiting_review": "it corrects more, or in a closed period, than the terms let pass; send finance's decision to "
    "`approvals`",
    "currency_differs": "its currency is not the engagement's; send a revision in the engagement's currency",
}
"""What an entry held for each reason waits for, and what to do."""

NOTHING: Final = "-"


def write_figures(found: EngagementFigures) -> None:
    """Print everything about an engagement."""
    kind = (found.contract_type or "terms unknown").replace("_", " ")
    click.echo(click.style(f"Engagement {found.engagement_id}", bold=True) + f": {kind}")
    entries = "1 entry" if found.entries == 1 else f"{found.entries} entries"
    customer, entity = found.customer_id or NOTHING, found.legal_entity_id or NOTHING
    click.echo(f"customer {customer}, legal entity {entity}, {entries}")
    click.echo()
    write_table([Column("hours"), Column("", right=True)], _hours(found))
    click.echo()
    write_table([Column("money"), Column(found.currency or NOTHING, right=True)], _money(found))
    if found.margins:
        click.echo()
        titles = (Column(name, right=True) for name in ("revenue earned", "cost", "margin"))
        write_table([Column("practice"), Column("region"), *titles], _margins(found))
    if found.held_entries:
        click.echo()
        rows = [[str(count), reason, explained(reason)] for reason, count in sorted(found.held_entries.items())]
        write_table([Column("held", right=True), Column("reason"), Column("what it waits for")], rows)


def explained(reason: str) -> str:
    """What a reason means; a newer worker may know more of them."""
    return {str(known): text for known, text in WAITS.items()}.get(reason, "see the `exceptions` topic")


def grouped(amount: str | None) -> str:
    """Decimal text with thousands apart: `1234.50` is `1,234.50`; unknown is a dash, never zero."""
    if amount is None:
        return NOTHING
    whole, point, fraction = amount.partition(".")
    return f"{int(whole):,}{point}{fraction}" if whole not in {"-0", ""} else amount


def _margins(found: EngagementFigures) -> list[list[str]]:
    return [
        [row.practice or NOTHING, row.region or NOTHING, grouped(row.earned), grouped(row.cost), grouped(row.margin)]
        for row in found.margins
    ]


def _hours(found: EngagementFigures) -> list[list[str]]:
    return [
        ["submitted", grouped(found.submitted_hours)],
        ["approved", grouped(found.approved_hours)],
        ["non-billable", grouped(found.non_billable_hours)],
        ["planned", grouped(found.planned_hours)],
    ]


def _money(found: EngagementFigures) -> list[list[str]]:
    return [
        ["approved value", grouped(found.approved_value)],
        ["  billed", grouped(found.billed)],
        ["  held", grouped(found.held)],
        ["  not chargeable", grouped(found.non_chargeable)],
        ["fees", grouped(found.fees)],
        ["rounding lines", grouped(found.rounding)],
        *([f"  billed to {customer}", grouped(amount)] for customer, amount in found.funded.items()),
        ["work in progress, not billed", grouped(found.unbilled)],
        ["revenue earned", grouped(found.earned)],
        ["  contract asset", grouped(found.contract_asset)],
        ["  contract liability", grouped(found.contract_liability)],
        ["deferred revenue", grouped(found.deferred)],
        ["  prepaid balance", grouped(found.prepaid_balance)],
        ["cost", grouped(found.cost)],
        ["intercompany cost", grouped(found.intercompany_cost)],
        ["margin", grouped(found.margin)],
        ["loss provision", grouped(found.loss_provision)],
        ["invoiced", grouped(found.invoiced)],
        ["  credited", grouped(found.credited)],
        ["  written off", grouped(found.written_off)],
        ["not invoiced", grouped(found.not_invoiced)],
        ["cash", grouped(found.cash)],
        ["receivable", grouped(found.receivable)],
        *([f"exchange difference, {base}", grouped(sum_)] for base, sum_ in sorted(found.fx_differences.items())),
        ["planned revenue", grouped(found.planned_revenue)],
        ["planned cost", grouped(found.planned_cost)],
        ["planned margin", grouped(found.planned_margin)],
        ["estimate at completion", grouped(found.estimate_at_completion)],
        ["  estimate to complete", grouped(found.estimate_to_complete)],
    ]
