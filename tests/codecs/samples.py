"""A value of every shape that crosses a boundary, twice: with every field set, and with only what it must have."""

from __future__ import annotations

import datetime as dt

import msgspec

from billtide.codecs import (
    account_map,
    accrual,
    approval,
    approvers,
    assignment,
    audit,
    billing,
    engagement,
    exception,
    expense,
    figures,
    forecast,
    funding,
    fx_rate,
    intercompany,
    invoice,
    journal,
    payment,
    period,
    posting_state,
    rate_card,
    re_drive,
    resource,
    revenue,
    time_entry,
)
from billtide.codecs.entry_state import (
    Adjusted,
    Approvals,
    CountedMargin,
    Decision,
    EntryState,
    EntryVersion,
    FundedShare,
    Hold,
    IntercompanyCharge,
    Posted,
    Price,
    SpentLine,
    Usage,
    Volume,
)
from billtide.codecs.fx_policy import AgreedFxRate, FxPolicy
from billtide.codecs.receivable_state import (
    FxDifference,
    InvoicedLine,
    InvoiceState,
    InvoiceVersion,
    PaymentState,
    PaymentVersion,
    Settled,
)
from billtide.codecs.records import (
    AssignmentState,
    BilledMilestone,
    BilledTerm,
    ChainHead,
    Cursor,
    EngagementState,
    Margin,
    Movements,
    PlannedCost,
    Position,
    RoundingGroup,
    Share,
    WeekState,
)
from billtide.codecs.time_policies import Discount, MultiplierChange, Multipliers, TimeRounding
from billtide.codecs.volume_tiers import Tier, VolumeTiers

DAY, MONDAY, LAST = dt.date(2026, 11, 20), dt.date(2026, 11, 23), dt.date(2026, 12, 31)
LINES = (
    journal.JournalLine("work_in_progress", "debit", "904.50"),
    journal.JournalLine("accrued_revenue", "credit", "904.50"),
)
ENTRY = {
    "source": "psa",
    "id": "4711",
    "revision": 3,
    "engagement_id": "E-1",
    "resource_id": "R-7",
    "status": "submitted",
}
CAUSE = {"source": "psa", "entry_id": "4711", "revision": 3, "engagement_id": "E-1", "legal_entity_id": "DE"}
TERMS = {
    "source": "crm", "id": "E-1", "revision": 2, "customer_id": "C-9", "legal_entity_id": "DE", "currency": "EUR",
    "contract_type": "capped", "start_date": DAY,
}  # fmt: skip
TIERS = VolumeTiers(
    tiers=(Tier(above="100", rate="110"),), measure="amount", over="month", applies="whole_volume", pool="all"
)
CHARGE = {
    **CAUSE, "id": "psa:time:4711:3:billing:0", "kind": "time", "action": "charge", "customer_id": "C-9",
    "contract_type": "capped", "work_date": DAY, "accounting_date": DAY, "quantity": "7.5", "unit": "hour", "rate": "120.6",
    "rate_unit": "hour", "amount": "904.50", "currency": "EUR", "rounding": "half_even",
}  # fmt: skip
FIGURES = {
    "engagement_id": "E-1", "entries": 2, "submitted_hours": "0", "approved_hours": "7.5", "non_billable_hours": "1",
    "approved_value": "904.50", "billed": "500.00", "fees": "0.00", "unbilled": "0.00", "held": "404.50",
    "held_entries": {"cap_reached": 1}, "earned": "500.00", "cost": "400.00", "margin": "100.00", "planned_hours": "20",
}  # fmt: skip
FORECAST = {
    "assignment_source": "plan", "assignment_id": "A-1", "revision": 1, "engagement_id": "E-1", "resource_id": "R-7",
    "week": MONDAY, "hours": "20", "booking": "soft",
}  # fmt: skip
REVENUE = {
    **CAUSE, "id": "psa:time:4711:3:revenue:0", "method": "as_billed", "accounting_date": DAY, "amount": "904.50",
    "currency": "EUR", "lines": LINES,
}  # fmt: skip
ACCRUAL = {
    **CAUSE, "id": "psa:time:4711:3:work_in_progress:0", "kind": "work_in_progress", "action": "accrual",
    "work_date": DAY, "accounting_date": DAY, "currency": "EUR", "lines": LINES,
}  # fmt: skip
HELD = {
    "source": "psa", "entry_id": "4711", "revision": 3, "engagement_id": "E-1", "id": "psa:time:4711:3:held:1",
    "action": "held", "reason": "cap_reached", "kind": "time", "waits_on": "cap:E-1",
    "message": "404.50 EUR lie over the cap of engagement E-1; raise the cap, or take something else back",
}  # fmt: skip

Sample = msgspec.Struct
LEAST: dict[str, Sample] = {
    "accrual": accrual.AccrualEvent(**ACCRUAL),
    "approval": approval.Approval(
        source="psa", entry_id="4711", entry_revision=3, engagement_id="E-1", verdict="approved"
    ),
    "assignment": assignment.Assignment(source="plan", id="A-1", revision=1, engagement_id="E-1", resource_id="R-7"),
    "assignment-forecast": forecast.AssignmentForecast(**FORECAST),
    "audit": audit.AuditRecord(task=3, sequence=0, stream="time-entries", rows=()),
    "billing": billing.BillingEvent(**CHARGE),
    "account-map": account_map.AccountMap(legal_entity_id="DE", version=1, effective_from=DAY, lines=()),
    "engagement": engagement.Engagement(**TERMS),
    "engagement-figures": figures.EngagementFigures(**FIGURES),
    "exception": exception.ExceptionEvent(**HELD),
    "expense": expense.Expense(**ENTRY, spent_on=DAY, category="travel", amount="100", currency="EUR"),
    "fx-rate": fx_rate.FxRate(base="USD", quote="EUR", valid_from=DAY, rate="0.9"),
    "invoice": invoice.Invoice(
        source="erp", id="I-1", revision=1, engagement_id="E-1", number="2026-17", issued_on=DAY, currency="EUR",
        lines=(invoice.InvoiceLine(billing_id="psa:time:4711:3:billing:0", amount="904.50"),),
    ),
    "payment": payment.Payment(source="erp", id="P-1", revision=1, engagement_id="E-1", received_on=DAY, amount="500", currency="EUR"),
    "period": period.Period(
        legal_entity_id="DE", id="2026-11", revision=1, start_date=DAY, end_date=LAST, status="open"
    ),
    "re-drive": re_drive.ReDrive(
        letter="time-entries:3:17", number=0, action="re_driven", by="finance", why="clock export mended"
    ),
    "posting-state": posting_state.PostingState(
        billing_id="psa:time:4711:3:billing:0", engagement_id="E-1", state="posted", invoiced="0.00", credited="0.00", currency="EUR"
    ),
    "rate-card": rate_card.RateCard(id="std", version=1, scope="default", currency="EUR", effective_from=DAY, lines=()),
    "resource": resource.Resource(id="R-7", revision=1, legal_entity_id="DE"),
    "revenue": revenue.RevenueEvent(**REVENUE),
    "time-entry": time_entry.TimeEntry(**ENTRY, work_date=DAY, quantity="7.5"),
    "utilisation": forecast.Utilisation(resource_id="R-7", week=MONDAY, hard_hours="20", soft_hours="0"),
}  # fmt: skip
"""Only what a shape must have: the rest is absent on the wire and means its default."""

_replace = msgspec.structs.replace
FULL: dict[str, Sample] = {
    "accrual": _replace(
        LEAST["accrual"], action="reversal", resource_id="R-7", reverses="psa:time:4711:3:work_in_progress:0", counterparty_id="US", fx_rate="0.9",
        trace=(billing.TraceStep("invoice", "303.60 GBP", "500.00 USD at 0.6072, invoice I-1"),),
    ),
    "approval": _replace(
        LEAST["approval"], entry_type="expense", verdict="rejected", level="finance", sequence=2, approver_id="R-1", reason="zu hoch – prüfen",
        on_behalf_of="R-2", decided_on=DAY, target="correction",
    ),
    "assignment": _replace(
        LEAST["assignment"], role="analyst", booking="soft", status="cancelled", rate="120.5", weeks=(assignment.PlannedWeek(week=MONDAY, hours="20"),)
    ),
    "assignment-forecast": _replace(LEAST["assignment-forecast"], expected_cost="1000.00", currency="EUR"),
    "audit": _replace(
        LEAST["audit"], sequence=7, reference={"rate-cards": 4}, hash="5a" * 32,
        rows=(audit.AuditRow(15, 1_764_000_000_000, "applied", "time", "psa", "4711", 3, "E-1", ("psa:time:4711:3:cost:0",)),),
    ),
    "billing": _replace(
        LEAST["billing"], action="reversal", trace=(billing.TraceStep("rate", "120.6/hour", "card std version 1"),), resource_id="R-7",
        role="analyst", item="onsite", task_id="T-1", part_of="-904.50", fx_rate="0.9", reverses="psa:time:4711:3:billing:0", limited_by="minimum_charge",
        adjusts="psa:time:4711:2:billing:0",
    ),
    "account-map": _replace(
        LEAST["account-map"], effective_to=LAST,
        lines=(account_map.AccountLine(account="project_expense", number="6300", contract_type="capped", practice="cloud", category="travel"),),
    ),
    "engagement": _replace(
        LEAST["engagement"], schema_version=2, name="Löwe & Söhne", practice="cloud", region="dach", end_date=LAST,
        rates=(engagement.EngagementRate(rate="120.6", unit="day", role="analyst", grade="senior", item="onsite", effective_from=DAY, minimum_charge="100", maximum_charge="2400", volume_tiers=TIERS, resource_id="R-7", region="dach"),),
        cap=engagement.Cap(amount="500", mode="hold", includes_expenses=False, tolerance="0.99"),
        caps=(
            engagement.PartialCap(
                id="PO-7",
                amount="100",
                mode="hold",
                includes_expenses=False,
                tolerance="1",
                tasks=("T-1",),
                resources=("R-1",),
                per="week",
            ),
        ),
        fee=engagement.Fee(
            amount="1000", estimated_cost="700", term="quarter", billed="arrears", progress="hours_to_hours", estimated_hours="80",
            uninstalled_cost="50", percent_places=1, loss_provision="none", billed_terms="rebill",
            schedule=(engagement.FeeTerm(start_date=DAY, end_date=LAST, amount="900"),),
            drawdown=engagement.Drawdown(
                overage="hold", unused="expire", rest="refund", includes_expenses=False,
                refill=engagement.Refill(threshold="100", amount="500", up_to="600"),
            ),
            milestones=(
                engagement.Milestone(id="M1", name="Abnahme", percent="30", reached_on=DAY), engagement.Milestone(id="M2", amount="700", standalone_price="800"),
            ),
        ),
        expenses=engagement.ExpenseTerms(
            policy="mark_up", mark_up_percent="7.5", line_cap="500", receipt_above="25",
            categories=(engagement.ExpenseCategory(
                category="mileage", policy="unit_price", mark_up_percent="1", unit_price="0.42", unit="kilometre", line_cap="99.50", receipt_above="75",
            ),),
        ),
        policies=engagement.Policies(
            rounding="half_even", accrue_at="approval", closed_period="next_open_period", approval_levels=("manager", "finance"), hours_per_day="7.5",
            approval_thresholds=(approvers.ApprovalThreshold(level="finance", amount="5000", of="cost"),), auto_approve_under="100",
            correction="adjust", rounding_place="invoice", review_above="1000", credit="write_off",
            intercompany=intercompany.Intercompany(transfer_price="cost_plus", percent="10", currency="USD", elimination_entity_id="group"),
            approvers=(
                approvers.Approver(
                    approver_id="R-1", level="manager", valid_from=DAY, valid_to=LAST,
                    delegates=(approvers.Delegate(approver_id="R-2", valid_from=DAY, valid_to=LAST),),
                ),
            ),
            time_rounding=TimeRounding(unit_minutes=15, mode="up", minimum_minutes=30, factor_percent="200"), day_rounding="half_day",
            multipliers=Multipliers(
                by_work_type={"overtime": "1.15"}, weekend="1.5", holiday="2", weekend_days=("friday", "saturday"), holidays=(LAST,), stacking="multiply"
            ),
            multiplier_changes=(MultiplierChange(effective_from=DAY, multipliers=Multipliers(weekend="2")),),
            accounting_date="approval_date", unmapped_account="hold", work_in_progress="reverse_next_period", margin="by_practice_and_region",
            fx_policy=FxPolicy(
                date="approval_date", rate_type="average", quotation="either", base_currency="CHF", agreed_rates=(AgreedFxRate(base="USD", rate="0.9"),)
            ),
        ),
        planned_revenue="10000.00",
        discount_percent="2.5",
        discounts=(Discount(percent="5", effective_from=DAY, effective_to=LAST),),
        funding=funding.Funding(
            customers=(funding.FundingCustomer(customer_id="C-9", percent="60"), funding.FundingCustomer(customer_id="C-7", up_to="500")),
            rounding_customer_id="C-9",
        ),
    ),
    "engagement-figures": _replace(
        LEAST["engagement-figures"], customer_id="C-9", legal_entity_id="DE", contract_type="capped", currency="EUR", planned_cost="1000.00",
        planned_revenue="2400.00", planned_margin="1400.00", contract_asset="1.00", contract_liability="2.00", loss_provision="3.00",
        non_chargeable="4.00", deferred="4.00", prepaid_balance="5.00", rounding="0.01",
        invoiced="400.00", credited="100.00", not_invoiced="100.00", receivable="276.00", cash="200.00", fx_differences={"GBP": "0.45"}, written_off="100.00",
        margins=(figures.PracticeMargin("cloud", "dach", "2.00", "1.00", "1.00"),),
        funded={"C-7": "200.00", "C-9": "300.00"}, intercompany_cost="360.00",
        estimate_at_completion="1000.00", estimate_to_complete="250.00",
    ),
    "exception": _replace(LEAST["exception"], action="released"),
    "expense": _replace(
        LEAST["expense"], billable=False, task_id="T-1", notes="2. Klasse", progress_excluded="uninstalled", quantity="127.5", unit="kilometre", unit_price="0.42",
        tax_amount="8.52", tax_recoverable=True, personal_amount="1.00", receipt=True, submitted_on=LAST,
        items=(expense.ExpenseItem(
            category="mileage", amount="53.55", quantity="127.5", unit="kilometre", unit_price="0.42", tax_amount="8.52", tax_recoverable=True,
            personal_amount="1.00",
        ),),
    ),
    "fx-rate": _replace(LEAST["fx-rate"], valid_to=LAST, revision=2, rate_type="average"),
    "invoice": _replace(
        LEAST["invoice"], kind="credit_note", status="cancelled", tax_amount="171.86", fx_rate="0.6072", base_currency="GBP", invoice_id="I-0"
    ),
    "payment": _replace(
        LEAST["payment"], status="reversed", fx_rate="0.009163", base_currency="GBP", invoice_currency="USD", invoice_fx_rate="0.70882",
        allocations=(payment.Allocation(invoice_id="I-1", amount="500", paid_amount="499.99"),),
    ),
    "period": LEAST["period"],
    "re-drive": _replace(LEAST["re-drive"], number=2, value='{"id":"4711"}', stream="time-entries", partition=3, offset=18),
    "posting-state": _replace(LEAST["posting-state"], state="partly_paid", invoiced="904.50", credited="4.50", documents=("2026-17", "2026-C1")),
    "rate-card": _replace(
        LEAST["rate-card"], schema_version=2, scope="customer", scope_id="C-9", effective_to=LAST,
        lines=(rate_card.RateLine(rate="120.6"), rate_card.RateLine(rate="900", unit="day", role="partner", grade="senior", minimum_charge="450", maximum_charge="900", volume_tiers=TIERS, resource_id="R-7", region="dach")),
    ),
    "resource": _replace(
        LEAST["resource"], role="analyst", grade="senior", practice="cloud", region="dach", weekly_capacity_hours="38.5",
        cost_rates=(resource.CostRate(rate="50", currency="EUR"), resource.CostRate(rate="55", currency="EUR", effective_from=DAY)),
    ),
    "revenue": _replace(
        LEAST["revenue"], method="cost_to_cost", earned_to_date="1904.50", cost_to_date="1000.00", estimated_cost="7000.00",
        reverses="psa:time:4711:2:revenue:0", trace=(billing.TraceStep("progress", "1000.00/7000.00", "approved cost / estimated cost"),),
    ),
    "time-entry": _replace(
        LEAST["time-entry"], unit="minute", billable=False, role="analyst", grade="senior", item="onsite", task_id="T-1", assignment_id="A-1",
        rate="120.6", notes="Übergabe\n", billable_quantity="6", work_type="overtime", progress_excluded="waste", submitted_on=LAST,
    ),
    "utilisation": _replace(LEAST["utilisation"], capacity_hours="40", percent="50.00"),
}  # fmt: skip
"""Every field with a value that is not its default, where it has one."""

VERSION = EntryVersion(
    "time", "psa", "4711", 3, "submitted", "E-1", "R-7", DAY, 7_500_000, "hour", True, "analyst", "senior", "onsite", "T-1", "A-1",
    120_600_000, 0, "", 6_000_000, "overtime",
    lines=(SpentLine("mileage", 5_334, 127_000_000, "kilometre", 420_000, 852, 100),), receipt=True, progress_excluded="waste",
    submitted_on=LAST,
)  # fmt: skip
INVOICE = InvoiceVersion(
    "erp", "I-1", 2, "E-1", "credit_note", True, "2026-17", DAY, "USD", (("psa:time:4711:3:billing:0", 90_450),), 171_86, 6_072_000_000, "GBP", "I-0"
)  # fmt: skip
PAYMENT = PaymentVersion(
    "erp", "P-1", 2, "E-1", True, DAY, "JPY", "CAD", (Settled("I-1", 50_000, 38_850),), 91_630_000, 7_088_200_000, "GBP"
)
POSTED = Posted(
    3,
    1,
    90_450,
    "EUR",
    DAY,
    "DE",
    "C1",
    live=False,
    numbers=("1400", "4000"),
    funded_by=(FundedShare("C1", 60_300), FundedShare("C2", 30_150)),
)
CHANGELOG: dict[str, Sample] = {
    "entries": EntryState(
        VERSION,
        earlier=(_replace(VERSION, revision=2),),
        price=Price(120_600_000, "hour", 90_450, "EUR", "half_even", 9_000_000_000, 6_000_000, "hour", "maximum_charge", Volume("hours of std", 6), "1/3"),
        work_in_progress=POSTED,
        cost=_replace(POSTED, live=True),
        cost_value=40_000,
        progress=40_000,
        progress_ordinal=1,
        charges=(_replace(POSTED, live=True, amount=50_000),),
        approved_value=90_450,
        held_value=40_450,
        hold="cap_reached",
        hold_ordinal=2,
        counted_as="approved_time",
        counted_time=27_000_000_000,
        posted=_replace(VERSION, revision=2),
        adjusted=Adjusted(VERSION, Price(120_600_000, "hour", 90_450, "EUR", "half_even", 9_000_000_000), ("1/3",)),
        progress_time=27_000_000_000,
        progress_on=DAY,
        non_chargeable=100,
        usage=Usage(90_450, DAY),
        invoiced=90_000,
        fx_on=LAST,
        margin=CountedMargin("cloud\x1fdach", 90_450, 27_000),
        intercompany=IntercompanyCharge(_replace(POSTED, live=True, currency="USD"), _replace(POSTED, live=True), None, 9_000_000_000, "group", ("4900", "1460"), ("1760", "6200")),
        let_pass={DAY: 2},
    ),
    "approvals": Approvals((Decision(3, "manager", 1, "approved"), Decision(3, "finance", 2, "recalled", "R-1", "R-2", DAY, "correction"))),
    "engagements": EngagementState(
        **{field.name: at for at, field in enumerate(msgspec.structs.fields(EngagementState))}
        | {"id": "E-1", "terms": FULL["engagement"], "progress_date": DAY, "fees_through": LAST, "held_entries": {"cap_reached": 1}, "capped": {"PO-7:2026-11-16": 500}}
        | {"progress_dates": {DAY: 2}, "milestones": {"M1": BilledMilestone("crm", POSTED, DAY, "half_even")}, "rounding": {DAY: RoundingGroup(LAST, 2, 500, "1/3", 1, 1)}}
        | {"fee_terms": {DAY: BilledTerm(DAY, LAST, LAST, 90_450, "crm", 3, "half_even", "DE", "C1", "used", True, POSTED, 500, DAY, 2, True, Movements(1, 2, 3, 4, 5), DAY, 6)}, "unkept_through": DAY}
        | {"usage": {DAY: 90_450}, "fx_differences": {"GBP": 45}, "margins": {"cloud\x1fdach": Margin(90_450, 27_000)}}
        | {"funded": {"C-7": 20_000}}
    ),
    "holds": Hold(1, "cap_reached", "E-1", "cap:E-1"),
    "assignments": AssignmentState(FULL["assignment"], (PlannedCost(MONDAY, 72_000_000_000, 100_000, "EUR"), PlannedCost(LAST, 1, None, ""))),
    "weeks": WeekState({"plan:A-1": Share(1, 72_000_000_000, hard=True)}, 144_000_000_000),
    "positions": Position(15, 5, 4, 3, 2, 1, b"\x01"),
    "cursors": Cursor(42),
    "audit": ChainHead(7, bytes(range(32))),
    "invoices": InvoiceState(
        INVOICE, stands=INVOICE, posted=POSTED, paid={"P-1": 50_000}, credited={"C-1": 450}, hold="billing_unknown", hold_ordinal=1,
        written_off=450,
    ),
    "payments": PaymentState(
        PAYMENT, stands=PAYMENT, posted=POSTED, fx_difference=FxDifference("GBP", -193, 157), hold="invoice_unknown", hold_ordinal=1
    ),
    "invoiced-lines": InvoicedLine({"iinvoice": 90_450}, {"cinvoice": 450}),
}  # fmt: skip
"""A record of every table of a task, no field at its default."""
