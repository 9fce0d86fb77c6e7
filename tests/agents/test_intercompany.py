"""Intercompany: work by people of another legal entity stands in the books of both, and in none after consolidation."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.agents.rules.transfer_price import transfer_terms
from billtide.codecs.errors import UndecodableError

from ..builders import (
    Object,
    Task,
    approval,
    capped,
    engagement,
    expense,
    fixed_fee,
    fx_rate,
    period,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)  # fmt: skip
from ..rules.builders import card, terms
from ..rules.histories import (
    Changes,
    History,
    Step,
    caps,
    chances,
    fixed_fees,
    histories,
    late_changes,
    play,
    time_and_materials,
)
from ..rules.sums import ids_are_unique, minor
from ..rules.test_invariants import always_true, figures, money_is_right

LAW = settings(max_examples=60)
LEGS = ("intercompany_sale", "intercompany_purchase", "sale_elimination", "purchase_elimination")
ACCOUNTS = ("intercompany_receivable", "intercompany_revenue", "intercompany_cost", "intercompany_payable")
RATES = (
    fx_rate(), fx_rate(base="EUR", quote="USD", rate="1.1"), fx_rate(base="GBP", quote="EUR", rate="1.15"),
    fx_rate(base="GBP", quote="USD", rate="1.25"),
)  # fmt: skip
CARDS = (
    rate_card(id="us", scope="intercompany", scope_id="US", lines=[{"rate": "65"}]),
    rate_card(id="us-gbp", scope="intercompany", scope_id="US", currency="GBP", lines=[{"rate": "400", "unit": "day"}]),
    rate_card(id="us-fr", scope="intercompany", scope_id="US/FR", lines=[{"rate": "1"}]),
)


def agreed(transfer_price: str = "cost", **changes: object) -> Object:
    """Policies with an intercompany policy."""
    return {"policies": {"intercompany": {"transfer_price": transfer_price, **changes}}}


def rounded_down(transfer_price: str, percent: str) -> Object:
    """The same, with another rounding."""
    return {"policies": {"rounding": "down", **agreed(transfer_price, percent=percent)["policies"]}}


def american(**changes: object) -> Object:
    """R1 belongs to US and costs 50 USD an hour."""
    return resource(
        **{"revision": 2, "legal_entity_id": "US", "cost_rates": [{"rate": "50", "currency": "USD"}], **changes}
    )


def task_under(terms: Object, *, fx: tuple[Object, ...] = RATES) -> Task:
    """An engagement of DE in EUR, an analyst of US, open periods of both, transfer cards and exchange rates."""
    task = ready_task(terms)
    task.refer("resources", american())
    task.refer("periods", year(legal_entity_id="US"))
    task.refer("rate-cards", *CARDS)
    task.refer("fx-rates", *fx)
    task.clear()
    return task


def approved(**changes: object) -> Object:
    """8 approved hours, sold for 800.00 EUR."""
    return time_entry(**{"status": "approved", **changes})


def charges(task: Task) -> list[tuple[str, str, str, str]]:
    """Action, kind, amount and currency of the charges between entities, without what eliminates them."""
    return [
        (event["action"], event["kind"], event["lines"][0]["amount"], event["currency"])
        for event in task.out["accruals"]
        if event["kind"] in LEGS[:2]
    ]


def books(task: Task) -> dict[tuple[str, str, str], int]:
    """What stands on each account of each legal entity, in each currency: debits less credits, in minor units."""
    found: Counter[tuple[str, str, str]] = Counter()
    for event in task.out["accruals"]:
        for line in event["lines"]:
            sign = 1 if line["side"] == "debit" else -1
            account = event["legal_entity_id"], line["account"], event["currency"]
            found[account] += sign * minor(line["amount"], event["currency"])
    return {account: amount for account, amount in found.items() if amount}


def is_eliminated(task: Task) -> None:
    """Over all legal entities every intercompany account is zero, in each currency, after every event's set of four."""
    over_all: Counter[tuple[str, str]] = Counter()
    for (_, account, currency), amount in books(task).items():
        over_all[account, currency] += amount if account in ACCOUNTS else 0
    assert set(over_all.values()) <= {0}


@pytest.mark.parametrize(
    ("policy", "sale", "purchase"),
    [
        pytest.param(agreed(), ("400.00", "USD", None), ("360.00", "EUR", "0.9"), id="cost"),
        pytest.param(agreed("cost_plus", percent="10"), ("440.00", "USD", None), ("396.00", "EUR", "0.9"), id="cost-plus"),
        pytest.param(agreed("cost_plus", percent="0.0125"), ("400.05", "USD", None), ("360.05", "EUR", "0.9"), id="rounded-twice"),
        pytest.param(agreed("percent_of_sale", percent="70"), ("616.00", "USD", "1.1"), ("560.00", "EUR", None), id="percent-of-sale"),
        pytest.param(agreed("rate_card"), ("572.00", "USD", "1.1"), ("520.00", "EUR", None), id="rate-card"),
        pytest.param(
            agreed("rate_card") | {"rates": [{"rate": "100"}]}, ("572.00", "USD", "1.1"), ("520.00", "EUR", None), id="own-rates-are-the-customer's",
        ),
        pytest.param(rounded_down("percent_of_sale", "33.3333"), ("293.33", "USD", "1.1"), ("266.66", "EUR", None), id="rounded-as-agreed"),
        pytest.param(agreed("rate_card", currency="GBP"), ("500.00", "USD", "1.25"), ("460.00", "EUR", "1.15"), id="third-currency"),
    ],
)  # fmt: skip
def test_the_policy_makes_the_transfer_price(policy: Object, sale: tuple[str, ...], purchase: tuple[str, ...]) -> None:
    """8 h at a cost of 400.00 USD, sold for 800.00 EUR: both books, each in its currency, with the stored rate."""
    task = task_under(engagement(**policy))
    task.send("time-entries", approved())
    found = {event["kind"]: event for event in task.out["accruals"]}

    for kind, expected in zip(LEGS, (sale, purchase, sale, purchase), strict=True):
        event = found[kind]
        assert (event["lines"][0]["amount"], event["currency"], event.get("fx_rate")) == expected
        assert event["trace"]
    assert task.figures()["intercompany_cost"] == purchase[0]
    is_eliminated(task)


def test_an_approval_emits_every_leg_at_once() -> None:
    """Cost and sale of the resource's entity, purchase of the engagement's, both eliminations; the sale stays where it was."""
    task = task_under(engagement(**agreed("cost_plus", percent="10")))
    task.send("time-entries", approved())

    assert [
        (event["id"], event["legal_entity_id"], event.get("counterparty_id"), event["lines"][0]["account"], event["lines"][1]["account"])
        for event in task.out["accruals"]
    ] == [
        ("psa:time:1:1:cost:0", "US", None, "project_cost", "payroll_allocation"),
        ("psa:time:1:1:intercompany_sale:0", "US", "DE", "intercompany_receivable", "intercompany_revenue"),
        ("psa:time:1:1:intercompany_purchase:0", "DE", "US", "intercompany_cost", "intercompany_payable"),
        ("psa:time:1:1:sale_elimination:0", "elimination", "US", "intercompany_revenue", "intercompany_receivable"),
        ("psa:time:1:1:purchase_elimination:0", "elimination", "DE", "intercompany_payable", "intercompany_cost"),
    ]  # fmt: skip
    assert {event["legal_entity_id"] for stream in ("billing", "revenue") for event in task.out[stream]} == {"DE"}
    assert [task.figures()[name] for name in ("billed", "cost", "margin")] == ["800.00", "360.00", "440.00"]


def test_the_trace_tells_how_the_price_came_to_be() -> None:
    """Cost, percent, price, and on the converted leg the exchange rate with its date."""
    task = task_under(engagement(**agreed("cost_plus", percent="10")))
    task.send("time-entries", approved())
    purchase = task.out["accruals"][2]

    assert [(step["step"], step["value"], step["source"]) for step in purchase["trace"]] == [
        ("cost", "400.00 USD", "revision 1 by R1"),
        ("percent", "10", "terms of E1 revision 1: cost_plus"),
        ("transfer_price", "440.00 USD", "terms of E1 revision 1: rounded half_up"),
        ("exchange_rate", "0.9000000000", "USD/EUR on 2026-11-20"),
    ]


def test_nothing_is_charged_before_the_approval() -> None:
    """Submitted, the entry is cost of the resource's entity and work in progress of the engagement's."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", time_entry())

    assert [(event["kind"], event["legal_entity_id"]) for event in task.out["accruals"]] == [
        ("cost", "US"),
        ("work_in_progress", "DE"),
    ]
    assert task.figures()["intercompany_cost"] == "0.00"


def test_an_approval_adds_the_charge_and_leaves_the_cost_alone() -> None:
    """What stands in the books of the resource's entity is not posted twice."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", time_entry())
    task.clear()
    task.send("time-entries", approved(revision=2))

    assert [(event["action"], event["kind"]) for event in task.out["accruals"]] == [
        ("reversal", "work_in_progress"),
        *(("accrual", kind) for kind in LEGS),
    ]


def test_an_approval_that_is_not_enough_any_more_takes_the_charge_back() -> None:
    """New terms ask for finance too: the charge waits for it like the bill, the cost stays."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", time_entry())
    task.send("approvals", approval())
    task.clear()
    policies = {"policies": {"approval_levels": ["manager", "finance"], **agreed()["policies"]}}
    task.send("engagements", engagement(revision=2, **policies))

    assert [(event["action"], event["kind"]) for event in task.out["accruals"]] == [
        *(("reversal", kind) for kind in LEGS),
        ("accrual", "work_in_progress"),
    ]


def test_a_charge_carries_the_revision_it_is_for() -> None:
    """A correction that changes no amount is charged anew like it is billed anew."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", approved(), approved(revision=2, task_id="T2"))

    assert [event["id"] for event in task.out["accruals"] if event["kind"] == "intercompany_sale"] == [
        "psa:time:1:1:intercompany_sale:0",
        "psa:time:1:1:intercompany_sale:0:reversal",
        "psa:time:1:2:intercompany_sale:0",
    ]


def test_a_charge_that_comes_back_has_a_new_number() -> None:
    """The exchange rate changes there and back: no id leaves twice (M4)."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", approved())
    for revision, rate in ((2, "0.8"), (3, "0.9")):
        task.refer("fx-rates", fx_rate(rate=rate, revision=revision))

    assert [event["id"][-1] for event in task.out["accruals"] if (event["kind"], event["action"]) == ("intercompany_sale", "accrual")] == ["0", "1", "2"]  # fmt: skip
    ids_are_unique(task)


@pytest.mark.parametrize(
    ("policies", "entity"), [({}, "US"), (agreed(), "DE")], ids=["no-policy", "the-engagement's-own-entity"]
)
def test_without_policy_or_other_entity_all_is_as_it_was(policies: Object, entity: str) -> None:
    """One cost accrual in the engagement's books, and no charge."""
    task = task_under(engagement(**policies))
    task.refer("resources", american(revision=3, legal_entity_id=entity))
    task.send("time-entries", approved())

    assert [(event["kind"], event["legal_entity_id"]) for event in task.out["accruals"]] == [("cost", "DE")]


def test_a_withdrawal_reverses_with_the_stored_amounts_and_rates() -> None:
    """Every leg is reversed as it stands, and no book keeps anything."""
    task = task_under(engagement(**agreed("percent_of_sale", percent="70")))
    task.send("time-entries", approved())
    made = [event for event in task.out["accruals"] if event["kind"] in LEGS]
    task.restart()
    task.clear()
    task.send("time-entries", approved(revision=2, status="recalled"))
    back = [event for event in task.out["accruals"] if event["kind"] in LEGS]
    same = ("kind", "legal_entity_id", "counterparty_id", "currency", "fx_rate", "accounting_date", "work_date")

    assert [{name: event.get(name) for name in same} for event in back] == [
        {name: event.get(name) for name in same} for event in made
    ]
    assert [(event["id"], event["reverses"]) for event in back] == [(f"{e['id']}:reversal", e["id"]) for e in made]
    assert [{(line["account"], line["amount"]) for line in event["lines"]} for event in back] == [
        {(line["account"], line["amount"]) for line in event["lines"]} for event in made
    ]
    assert task.figures()["intercompany_cost"] == "0.00"


def test_a_correction_leaves_nothing_of_the_first_revision() -> None:
    """8 h corrected to 6 h: the books hold 300.00 USD and 270.00 EUR, and cost in the US."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", approved(), approved(revision=2, quantity="6"))
    found = books(task)

    assert {account: amount for account, amount in found.items() if account[0] != "elimination"} == {
        ("US", "project_cost", "USD"): 30_000,
        ("US", "payroll_allocation", "USD"): -30_000,
        ("US", "intercompany_receivable", "USD"): 30_000,
        ("US", "intercompany_revenue", "USD"): -30_000,
        ("DE", "intercompany_cost", "EUR"): 27_000,
        ("DE", "intercompany_payable", "EUR"): -27_000,
    }
    is_eliminated(task)


@pytest.mark.parametrize(
    ("policy", "stream", "change", "stands"),
    [
        pytest.param(agreed(), "resources", american(revision=3, cost_rates=[{"rate": "60", "currency": "USD"}]), ("480.00", "432.00"), id="cost"),
        pytest.param(agreed(), "fx-rates", fx_rate(rate="0.8", revision=2), ("400.00", "320.00"), id="exchange-rate"),
        pytest.param(agreed("percent_of_sale", percent="70"), "fx-rates", fx_rate(base="EUR", quote="USD", rate="1.2", revision=2), ("672.00", "560.00"), id="exchange-rate-of-the-seller"),
        pytest.param(agreed("rate_card"), "rate-cards", rate_card(id="us", version=2, scope="intercompany", scope_id="US", lines=[{"rate": "70"}]), ("616.00", "560.00"), id="transfer-rate"),
        pytest.param(agreed("rate_card"), "rate-cards", rate_card(schema_version=2, id="us", version=2, scope="intercompany", scope_id="US", lines=[{"rate": "65"}, {"rate": "70", "resource_id": "R1"}]), ("616.00", "560.00"), id="transfer-rate-of-the-person"),
        pytest.param(agreed("rate_card"), "rate-cards", rate_card(id="us-de", scope="intercompany", scope_id="US/DE", lines=[{"rate": "80"}]), ("704.00", "640.00"), id="card-of-the-two"),
        pytest.param(agreed("rate_card", currency="GBP"), "rate-cards", rate_card(id="us-gbp", version=2, scope="intercompany", scope_id="US", currency="GBP", lines=[{"rate": "40"}]), ("400.00", "368.00"), id="card-in-a-third-currency"),
        pytest.param(agreed("percent_of_sale", percent="70"), "rate-cards", rate_card(version=2, lines=[{"rate": "110"}]), ("677.60", "616.00"), id="selling-price"),
        pytest.param(agreed(), "engagements", engagement(revision=2, **agreed("cost_plus", percent="50")), ("600.00", "540.00"), id="policy"),
        pytest.param(agreed(), "engagements", engagement(revision=2, legal_entity_id="FR", **agreed()), ("400.00", "360.00"), id="buyer"),
        pytest.param(agreed(), "engagements", engagement(revision=2, **agreed(elimination_entity_id="group")), ("400.00", "360.00"), id="elimination-entity"),
    ],
)  # fmt: skip
def test_what_changes_back_in_time_is_charged_anew(
    policy: Object, stream: str, change: Object, stands: tuple[str, str]
) -> None:
    """The old charge is reversed as it stood, the new one is posted, once."""
    task = task_under(engagement(**policy))
    task.refer("periods", year(legal_entity_id="FR"))
    task.send("time-entries", approved())
    before = charges(task)
    task.clear()
    if stream == "engagements":
        task.send(stream, change)
    else:
        task.refer(stream, change)

    assert charges(task) == [
        *(("reversal", kind, amount, currency) for _, kind, amount, currency in before),
        ("accrual", "intercompany_sale", stands[0], "USD"),
        ("accrual", "intercompany_purchase", stands[1], "EUR"),
    ]
    is_eliminated(task)


@pytest.mark.parametrize("policies", [{}, agreed()], ids=["policy-removed", "person-moves"])
def test_a_charge_that_is_none_any_more_is_taken_back(policies: Object) -> None:
    """The cost moves into the engagement's books, and nothing stands between the entities."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", approved())
    if policies:
        task.refer("resources", american(revision=3, legal_entity_id="DE"))
    else:
        task.send("engagements", engagement(revision=2))

    assert books(task) == {("DE", "project_cost", "USD"): 40_000, ("DE", "payroll_allocation", "USD"): -40_000}


@pytest.mark.parametrize("entity", ["DE", "US"])
def test_both_periods_must_be_open(entity: str) -> None:
    """Closed in one of the two: nothing is posted, the hold names the entity and ends when its period opens."""
    task = task_under(engagement(**agreed()))
    task.refer("periods", year("closed", legal_entity_id=entity, revision=2))
    task.send("time-entries", approved())
    (held,) = task.out["exceptions"]

    assert (held["reason"], held["waits_on"]) == ("period_closed", f"period:{entity}")
    assert f"the accounting period of {entity} " in held["message"]
    assert not task.out["accruals"]
    assert not task.out["billing"]
    task.refer("periods", year(legal_entity_id=entity, revision=3))
    assert (len(task.out["accruals"]), task.amounts()) == (5, ["800.00"])
    assert task.out["exceptions"][-1]["action"] == "released"


@pytest.mark.parametrize("stood", [True, False], ids=["moved there", "there from the start"])
def test_a_closed_period_is_told_before_a_missing_rate(stood: bool) -> None:  # noqa: FBT001
    """Of two things that are missing the same is told, whatever was posted of the entry before (M9)."""
    fx = (fx_rate(valid_to="2026-12-31"), fx_rate(base="EUR", quote="USD", rate="1.1", valid_to="2026-11-30"))
    task = task_under(engagement(**agreed("percent_of_sale", percent="70")), fx=fx)
    task.refer("periods", year(revision=2, end_date="2026-11-30"))
    task.refer("periods", year("closed", id="rest", start_date="2026-12-01"))
    if stood:
        task.send("time-entries", approved())
    task.send("time-entries", approved(revision=2, work_date="2026-12-10"))

    assert task.figures()["held_entries"] == {"period_closed": 1}


@pytest.mark.parametrize("change", [{"status": "deleted"}, {"quantity": "4"}], ids=["withdrawn", "corrected"])
def test_a_reversal_waits_for_both_periods_too(change: Object) -> None:
    """The resource's entity has closed: what stands is left alone in both books until it opens."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", approved())
    task.refer("periods", year("closed", legal_entity_id="US", revision=2))
    task.clear()
    task.send("time-entries", approved(revision=2, **change))
    (held,) = task.out["exceptions"]
    assert (held["waits_on"], task.out["accruals"], task.out["billing"]) == ("period:US", [], [])
    task.refer("periods", year(legal_entity_id="US", revision=3))

    assert [action for action, *_ in charges(task)][:2] == ["reversal", "reversal"]
    is_eliminated(task)


def test_no_adjusted_charge_stands_without_its_cost() -> None:
    """Corrected to a day that the other books have no period for: taken back whole; withdrawn then, nothing is left."""
    task = task_under(engagement(policies={**agreed()["policies"], "correction": "adjust"}))
    task.send("time-entries", approved())
    task.refer("periods", year("future", legal_entity_id="US", revision=2))
    task.refer("periods", period(legal_entity_id="US", start_date="2026-11-10"))
    task.send("time-entries", approved(revision=2, work_date="2026-11-03"))
    assert (task.amounts(), task.out["exceptions"][-1]["waits_on"]) == (["800.00", "-800.00"], "period:US")
    task.send("time-entries", approved(revision=3, status="recalled"))

    assert task.amounts() == ["800.00", "-800.00"]
    assert books(task) == {}


def test_an_engagement_that_moves_waits_for_the_books_it_leaves() -> None:
    """DE is closed, FR is open: nothing of DE is reversed before it opens, nothing of FR is posted before that."""
    task = ready_task(engagement())
    task.refer("periods", year(legal_entity_id="FR"))
    task.send("time-entries", approved())
    task.refer("periods", year("closed", revision=2))
    task.clear()
    task.send("engagements", engagement(revision=2, legal_entity_id="FR"))
    assert ([held["waits_on"] for held in task.out["exceptions"]], task.out["billing"]) == (["period:DE"], [])
    task.refer("periods", year(revision=3))

    assert [(line["legal_entity_id"], line["amount"]) for line in task.out["billing"]] == [
        ("DE", "-800.00"),
        ("FR", "800.00"),
    ]


def test_an_approval_waits_for_the_period_of_the_sale() -> None:
    """The cost stands, then the resource's entity closes: neither charge nor bill before it opens."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", time_entry())
    task.refer("periods", year("closed", legal_entity_id="US", revision=2))
    task.send("time-entries", approved(revision=2))
    assert ([held["waits_on"] for held in task.out["exceptions"]], task.out["billing"]) == (["period:US"], [])
    task.refer("periods", year(legal_entity_id="US", revision=3))

    assert (task.amounts(), len(charges(task))) == (["800.00"], 2)


def test_revenue_goes_by_the_calendar_of_the_engagement() -> None:
    """A fixed fee whose cost lies in the next period of the resource's entity: withdrawn, revenue is taken back in time."""
    policies = {"policies": {"closed_period": "next_open_period", **agreed()["policies"]}}
    task = ready_task(fixed_fee(**policies))
    task.refer("resources", american())
    task.refer("fx-rates", *RATES)
    task.refer("periods", period(legal_entity_id="US", status="closed"))
    task.refer("periods", period(legal_entity_id="US", id="2026-12", start_date="2026-12-01", end_date="2026-12-31"))
    task.send("time-entries", approved(), approved(revision=2, status="deleted"))

    assert [(event["amount"], event["accounting_date"]) for event in task.out["revenue"]] == [
        ("514.29", "2026-11-20"),
        ("-514.29", "2026-11-20"),
    ]


def test_each_entity_takes_its_own_next_open_period() -> None:
    """November is closed in the US alone: cost and sale move to December, the purchase and the bill stay."""
    policies = {"policies": {"closed_period": "next_open_period", **agreed()["policies"]}}
    task = ready_task(engagement(**policies))
    task.refer("resources", american())
    task.refer("fx-rates", *RATES)
    task.refer("periods", period(legal_entity_id="US", status="closed"))
    task.refer("periods", period(legal_entity_id="US", id="2026-12", start_date="2026-12-01", end_date="2026-12-31"))
    task.clear()
    task.send("time-entries", approved())

    assert {(event["kind"], event["accounting_date"]) for event in task.out["accruals"]} == {
        ("cost", "2026-12-01"),
        ("intercompany_sale", "2026-12-01"),
        ("sale_elimination", "2026-12-01"),
        ("intercompany_purchase", "2026-11-20"),
        ("purchase_elimination", "2026-11-20"),
    }
    assert task.out["billing"][0]["accounting_date"] == "2026-11-20"


@pytest.mark.parametrize(
    ("policy", "fx", "reason", "waits_on"),
    [
        pytest.param(agreed("percent_of_sale", percent="70"), RATES[:1], "fx_rate_missing", "fx:EUR/USD", id="exchange-rate"),
        pytest.param(agreed("rate_card", currency="CHF"), RATES, "rate_missing", "rates:CHF", id="card"),
    ],
)  # fmt: skip
def test_an_unknown_transfer_price_is_held(policy: Object, fx: tuple[Object, ...], reason: str, waits_on: str) -> None:
    """Never charged as zero, and nothing else is posted meanwhile; what is missing releases it."""
    task = task_under(engagement(**policy), fx=fx)
    task.send("time-entries", approved())
    (held,) = task.out["exceptions"]
    assert (held["reason"], held["waits_on"], task.out["accruals"]) == (reason, waits_on, [])
    task.refer("fx-rates", *(fx_rate(base=base, quote=quote, rate="1") for base in ("EUR", "CHF") for quote in ("USD", "EUR")))  # fmt: skip
    task.refer("rate-cards", rate_card(id="chf", scope="intercompany", scope_id="US", currency="CHF", lines=[{"rate": "9"}]))  # fmt: skip

    assert len(charges(task)) == 2


def test_an_expense_needs_its_person_only_under_the_policy() -> None:
    """Whose money it was says in whose books it stands: unknown, it is held."""
    task = task_under(engagement(**agreed()))
    task.send("expenses", expense(resource_id="R9", status="approved"))

    assert [(held["reason"], held["waits_on"]) for held in task.out["exceptions"]] == [("resource_unknown", "resource:R9")]  # fmt: skip


@pytest.mark.parametrize(
    "policy",
    [agreed(), agreed("cost_plus", percent="10"), agreed("percent_of_sale", percent="70"), agreed("rate_card")],
    ids=["cost", "cost-plus", "percent-of-sale", "rate-card"],
)
def test_expenses_are_passed_on_at_cost(policy: Object) -> None:
    """100.00 USD of a flight: 100.00 USD in one book, 90.00 EUR in the other, whatever is agreed for time."""
    task = task_under(engagement(**policy))
    task.send("expenses", expense(currency="USD", status="approved"))

    assert [(kind, amount) for _, kind, amount, _ in charges(task)] == [
        ("intercompany_sale", "100.00"),
        ("intercompany_purchase", "90.00"),
    ]
    assert task.amounts() == ["90.00"]


@pytest.mark.parametrize(
    "terms",
    [fixed_fee(**agreed("percent_of_sale", percent="70")), engagement(contract_type="internal", **agreed("percent_of_sale", percent="70"))],
    ids=["fixed-fee", "internal"],
)  # fmt: skip
def test_work_that_is_not_sold_is_charged_at_cost(terms: Object) -> None:
    """No price, no percent of it: the other entity gets what the work costs it."""
    task = task_under(terms)
    task.send("time-entries", approved())

    assert charges(task)[1] == ("accrual", "intercompany_purchase", "360.00", "EUR")


def test_a_cap_holds_the_sale_not_the_charge() -> None:
    """The work is done and charged whole, of the price 500.00 is billed."""
    task = task_under(capped("500", **agreed("percent_of_sale", percent="50")))
    task.send("time-entries", approved())

    assert (task.amounts(), charges(task)[1][2]) == (["500.00"], "400.00")
    task.send("engagements", capped("600", revision=2, **agreed("percent_of_sale", percent="50")))
    assert (task.amounts(), len(charges(task))) == (["500.00", "100.00"], 2)


def test_a_held_entry_is_charged_anew_too() -> None:
    """Only the seller's exchange rate changes: the charge follows, bill and hold stay."""
    task = task_under(capped("500", **agreed("percent_of_sale", percent="50")))
    task.send("time-entries", approved())
    task.clear()
    task.refer("fx-rates", fx_rate(base="EUR", quote="USD", rate="1.2", revision=2))

    assert [amount for *_, amount, currency in charges(task) if currency == "USD"] == ["440.00", "480.00"]
    assert task.out["billing"] == []


def test_a_price_beyond_all_measure_is_held() -> None:
    """A transfer price of more than an amount can be is a mistake, and posts nothing."""
    task = task_under(engagement(**agreed("cost_plus", percent="999")))
    task.refer("resources", american(revision=3, cost_rates=[{"rate": "999999999", "currency": "USD"}]))
    task.send("time-entries", approved())

    assert [held["reason"] for held in task.out["exceptions"]] == ["amount_beyond_limit"]
    assert not task.out["accruals"]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        pytest.param(agreed("cost_plus"), "percent", id="percent-missing"),
        pytest.param(agreed("percent_of_sale"), "percent", id="share-missing"),
        pytest.param(agreed("cost", percent="5"), "percent", id="percent-without-use"),
        pytest.param(agreed("cost_plus", percent="-5"), "percent", id="below-zero"),
        pytest.param(agreed("rate_card", currency="XYZ"), "currency", id="no-currency"),
    ],
)
def test_a_policy_that_makes_no_price_is_refused(policy: Object, field: str) -> None:
    """The error names the field."""
    with pytest.raises(UndecodableError) as refused:
        transfer_terms(terms(**policy))

    assert refused.value.field == f"$.policies.intercompany.{field}"


@pytest.mark.parametrize("limit", ["minimum_charge", "maximum_charge"])
def test_a_transfer_rate_has_no_limits(limit: str) -> None:
    """They are terms of what a customer pays."""
    with pytest.raises(UndecodableError, match="transfer rate"):
        card(scope="intercompany", scope_id="US", lines=[{"rate": "1", limit: "5"}])


def test_a_transfer_card_prices_no_customer() -> None:
    """Cards of scope intercompany are no cards of the engagement."""
    task = task_under(engagement(**agreed("rate_card")))
    task.send("time-entries", approved(role="driver"))

    assert [held["reason"] for held in task.out["exceptions"]] == ["rate_missing"]


policies = st.sampled_from(
    [agreed(), agreed("cost_plus", percent="12.5"), agreed("percent_of_sale", percent="66.6667"), agreed("rate_card")]
)


def between(history: History, policy: Object, entity: str) -> History:
    """The same history under a policy, its person in another entity at first."""
    with_policy = {"policies": {**history.terms.get("policies", {}), **policy["policies"]}}
    streams = {name: list(sent) for name, sent in history.streams.items()}
    streams["engagements"] = [{**sent, **with_policy} for sent in streams["engagements"]]
    streams["resources"] = [{**sent, "legal_entity_id": entity} for sent in streams["resources"]]
    whole_year = {"valid_from": "2026-01-01", "valid_to": "2026-12-31"}
    streams["fx-rates"] = [*streams["fx-rates"], fx_rate(base="EUR", quote="USD", rate="1.083", **whole_year)]
    transfer = rate_card(id="at", scope="intercompany", scope_id="AT", lines=[{"rate": "71.23"}])
    streams["rate-cards"] = [*streams["rate-cards"], transfer]
    return History({**history.terms, **with_policy}, streams)


def law(task: Task, steps: list[Step]) -> None:
    """The law of money, and no intercompany account of the whole firm but zero; the figure is what the books say."""
    always_true(task, steps)
    is_eliminated(task)
    state = task.state.engagements.get(task.state.engagements.key("E1"))
    bought = sum(
        amount
        for (entity, account, _), amount in books(task).items()
        if account == "intercompany_cost" and entity != "elimination"
    )
    assert state is None or state.intercompany_cost == bought


@LAW
@given(histories(time_and_materials | caps | fixed_fees), policies, chances, st.integers(0, 4))
def test_any_history_is_charged_between_its_entities(
    history: History, policy: Object, chance: Random, restart_every: int
) -> None:
    """After every record all books agree, and in the end customers are billed as without the policy (M1-M9)."""
    charged = between(history, policy, "AT")
    task = play(charged.interleaved(chance), law, restart_every)
    money_is_right(task, charged)
    if policy == agreed():
        state = task.state.engagements.get(task.state.engagements.key("E1"))
        approved_cost = sum(
            entry.cost_value
            for key in task.state.entries.bytes
            if (entry := task.state.entries.get(key)) and entry.intercompany and entry.intercompany.sale.live
        )
        assert state is not None
        assert state.intercompany_cost == approved_cost


@LAW
@given(histories(time_and_materials | caps | fixed_fees), policies, late_changes, chances, chances)
def test_any_order_leaves_the_same_charges(
    history: History, policy: Object, changes: Changes, chance: Random, other: Random
) -> None:
    """Terms, people, cards and exchange rates may change at any time: both orders leave the same books (M9)."""
    changing = between(history, policy, "AT").changed(changes)
    one, two = play(changing.interleaved(chance), law), play(changing.interleaved(other))
    mine = {account: amount for account, amount in books(one).items() if account[1] in (*ACCOUNTS, "project_cost")}
    theirs = {account: amount for account, amount in books(two).items() if account[1] in (*ACCOUNTS, "project_cost")}

    assert mine == theirs
    assert figures(one)["cost"] == figures(two)["cost"]
