"""Several customers and legal entities under the ledger's policies: accounts, exchange, roll-over, margins."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given

from ..builders import Object, Task, account_map, approval, engagement, fx_rate, time_entry, year
from ..rules.histories import History, chances, histories, play, time_and_materials
from ..rules.test_invariants import money_is_right
from .test_intercompany import (
    ACCOUNTS,
    LAW,
    agreed,
    american,
    approved,
    between,
    books,
    charges,
    law,
    task_under,
)
from .test_rollover import month

NAMES = (
    "project_cost", "payroll_allocation", "project_expense", "employee_payable", "work_in_progress", "accrued_revenue",
    "unbilled_receivable", "revenue", *ACCOUNTS,
)  # fmt: skip
SELLERS = ("project_cost", "payroll_allocation", "project_expense", "employee_payable", *ACCOUNTS[:2])
SPLIT = {
    "customers": [{"customer_id": "C1", "percent": "66.67"}, {"customer_id": "C2", "percent": "33.33"}],
    "rounding_customer_id": "C1",
}


def numbers(entity: str, names: tuple[str, ...] = NAMES, version: int = 1) -> Object:
    """A map in which each account's number tells the entity, the version and the account."""
    lines = ({"account": name, "number": f"{entity}{version}-{name}"} for name in names)
    return account_map(*lines, legal_entity_id=entity, version=version)


def under(**policies: object) -> Object:
    """Policies with an intercompany charge at cost."""
    return {"policies": {**agreed()["policies"], **policies}}


def journals(task: Task) -> list[tuple[str, str, bool, list[str]]]:
    """Legal entity, kind, whether it is a reversal, and the numbers of each journal that left."""
    return [
        (event["legal_entity_id"], event["kind"], "reverses" in event, [line.get("number", "") for line in event["lines"]])
        for event in task.out["accruals"]
    ]  # fmt: skip


def test_each_entitys_journals_carry_the_numbers_of_its_own_map() -> None:
    """Cost and sale those of the seller, the purchase those of the buyer, eliminations those of the consolidation."""
    task = task_under(engagement(**agreed()))
    task.refer("account-maps", numbers("DE"), numbers("US"), numbers("elimination"))
    task.send("time-entries", approved())

    assert journals(task) == [
        ("US", "cost", False, ["US1-project_cost", "US1-payroll_allocation"]),
        ("US", "intercompany_sale", False, ["US1-intercompany_receivable", "US1-intercompany_revenue"]),
        ("DE", "intercompany_purchase", False, ["DE1-intercompany_cost", "DE1-intercompany_payable"]),
        ("elimination", "sale_elimination", False,
         ["elimination1-intercompany_revenue", "elimination1-intercompany_receivable"]),
        ("elimination", "purchase_elimination", False,
         ["elimination1-intercompany_payable", "elimination1-intercompany_cost"]),
    ]  # fmt: skip


def test_a_reversal_keeps_the_numbers_of_what_it_reverses() -> None:
    """Maps of all entities change, then the entry is withdrawn: each account is closed under its old number."""
    task = task_under(engagement(**agreed()))
    task.refer("account-maps", numbers("DE"), numbers("US"), numbers("elimination"))
    task.send("time-entries", approved())
    posted = {(entity, kind): found for entity, kind, _, found in journals(task)}
    task.refer("account-maps", *(numbers(entity, version=2) for entity in ("DE", "US", "elimination")))
    task.clear()
    task.restart()
    task.send("time-entries", approved(revision=2, status="deleted"))
    reversed_ = {(entity, kind): found[::-1] for entity, kind, _, found in journals(task)}

    assert len(reversed_) == 5
    assert reversed_ == posted


def test_an_entity_without_a_map_is_posted_by_name() -> None:
    """The buyer's numbers are never written into the seller's books."""
    task = task_under(engagement(**agreed()))
    task.refer("account-maps", numbers("DE"))
    task.send("time-entries", approved())

    assert {entity for entity, _, _, found in journals(task) if any(found)} == {"DE"}


@pytest.mark.parametrize(
    ("maps", "waits_on"),
    [
        pytest.param([numbers("DE")], "accounts:US", id="seller-has-none"),
        pytest.param([numbers("DE"), numbers("US", SELLERS[:-1])], "accounts:US", id="seller-lacks-one"),
        pytest.param([numbers("DE", NAMES[:-1]), numbers("US")], "accounts:DE", id="buyer-lacks-one"),
    ],
)
def test_by_policy_both_entities_need_their_numbers(maps: list[Object], waits_on: str) -> None:
    """Nothing of the entry is posted before; the hold names the entity whose map is to be mended, which ends it."""
    task = task_under(engagement(**under(unmapped_account="hold")))
    task.refer("account-maps", *maps)
    task.send("time-entries", approved())
    (held,) = task.out["exceptions"]
    assert (held["reason"], held["waits_on"], task.out["accruals"]) == ("account_unmapped", waits_on, [])
    task.refer("account-maps", numbers("US", SELLERS, version=2), numbers("DE", version=2))

    assert (len(task.out["accruals"]), task.amounts()) == (5, ["800.00"])


def test_work_in_progress_stays_while_the_seller_cannot_charge() -> None:
    """Submitted, then the seller closes and the entry is approved: what is accrued is closed by its bill, not before."""
    task = task_under(engagement(**agreed()))
    task.send("time-entries", time_entry())
    task.refer("periods", year("closed", legal_entity_id="US", revision=2))
    task.clear()
    task.send("time-entries", approved(revision=2))
    assert ([held["waits_on"] for held in task.out["exceptions"]], task.out["accruals"]) == (["period:US"], [])
    assert task.figures()["unbilled"] == "800.00"
    task.refer("periods", year(legal_entity_id="US", revision=3))

    assert (task.figures()["unbilled"], task.figures()["billed"]) == ("0.00", "800.00")


@pytest.mark.parametrize(
    ("policy", "sale", "purchase"),
    [
        pytest.param({"rate_type": "average"}, "572.00", "520.00", id="kind-of-rate"),
        pytest.param({"quotation": "either", "rate_type": "budget"}, "650.00", "520.00", id="divided-by-the-opposite"),
    ],
)
def test_fx_policy_converts_transfer_prices(policy: Object, sale: str, purchase: str) -> None:
    """8 hours at 65 EUR: 520 EUR for the buyer, for the seller by the policy's own rates, not the plain 9."""
    rates = [
        fx_rate(base="EUR", quote="USD", rate="9"), fx_rate(base="EUR", quote="USD", rate="1.1", rate_type="average"),
        fx_rate(rate="0.9", rate_type="average"), fx_rate(rate="0.8", rate_type="budget"),
    ]  # fmt: skip
    task = task_under(engagement(policies={**agreed("rate_card")["policies"], "fx_policy": policy}))
    task.refer("fx-rates", *rates)
    task.send("time-entries", approved())

    assert [amount for *_, amount, _ in charges(task)] == [sale, purchase]


def test_an_agreed_rate_is_no_rate_of_the_sellers_books() -> None:
    """400 GBP a day: 480 EUR by the 1.2 that the terms fix for the engagement's currency, 500 USD by the quoted 1.25."""
    policies = {
        **agreed("rate_card", currency="GBP")["policies"],
        "fx_policy": {"agreed_rates": [{"base": "GBP", "rate": "1.2"}]},
    }
    task = task_under(engagement(policies=policies))
    task.send("time-entries", approved())

    assert [amount for *_, amount, _ in charges(task)] == ["500.00", "480.00"]


def test_a_charge_is_converted_on_the_day_of_the_policy() -> None:
    """Worked on the 20th at 0.9, approved on the 25th at 0.95: cost and charge are 400 USD at 0.95."""
    task = task_under(engagement(**under(fx_policy={"date": "approval_date"})))
    task.refer("fx-rates", fx_rate(valid_from="2026-11-25", valid_to="2026-11-25", rate="0.95", revision=2))
    task.send("time-entries", time_entry())
    task.send("approvals", approval(decided_on="2026-11-25"))

    assert [amount for *_, amount, _ in charges(task)] == ["400.00", "380.00"]
    assert (task.figures()["cost"], task.figures()["intercompany_cost"]) == ("380.00", "380.00")


def test_an_agreed_rate_converts_what_the_buyer_pays() -> None:
    """400 USD of cost at the 0.85 that the terms fix, for the cost and for the charge alike."""
    fx = {"agreed_rates": [{"base": "USD", "rate": "0.85"}]}
    task = task_under(engagement(**under(fx_policy=fx)))
    task.send("time-entries", approved())
    purchase = next(event for event in task.out["accruals"] if event["kind"] == "intercompany_purchase")

    assert [amount for *_, amount, _ in charges(task)] == ["400.00", "340.00"]
    assert purchase["fx_rate"] == "0.85"
    assert purchase["trace"][-1] == {
        "step": "exchange_rate", "value": "0.8500000000", "source": "USD/EUR fixed: terms of E1 revision 1",
    }  # fmt: skip
    assert task.figures()["cost"] == "340.00"


def test_a_missing_rate_of_the_kind_is_named() -> None:
    """The seller's rate of the policy's kind is missing: held by its pair and kind, released by it."""
    policy = {
        "policies": {**agreed("percent_of_sale", percent="70")["policies"], "fx_policy": {"rate_type": "average"}}
    }
    task = task_under(engagement(**policy))
    task.refer("fx-rates", fx_rate(rate_type="average"))
    task.send("time-entries", approved())
    (held,) = task.out["exceptions"]
    assert (held["reason"], held["waits_on"], task.out["accruals"]) == ("fx_rate_missing", "fx:EUR/USD", [])
    assert "of type average" in held["message"]
    task.refer("fx-rates", fx_rate(base="EUR", quote="USD", rate="1.2", rate_type="average"))

    assert [amount for *_, amount, _ in charges(task)] == ["672.00", "560.00"]


def test_all_of_them_at_once() -> None:
    """Rolled over, approved, billed to two customers, charged between entities, told by practice; then withdrawn."""
    terms = engagement(
        funding=SPLIT, practice="delivery", region="north",
        **under(work_in_progress="reverse_next_period", margin="by_practice_and_region", fx_policy={"rate_type": "average"}),
    )  # fmt: skip
    task = task_under(terms)
    task.refer("resources", american(revision=3, practice="cloud", region="us"))
    task.refer("fx-rates", fx_rate(valid_from="2026-10-01", rate_type="average"))
    task.refer("account-maps", numbers("DE"), numbers("US"))
    task.refer("periods", year("closed", revision=2, end_date="2026-01-31"))
    task.refer("periods", month(10, "open"), month(11, "future"))
    task.send("time-entries", time_entry(work_date="2026-10-20"))
    task.refer("periods", month(10, "closed", 2), month(11, "open", 2))
    moved = [(e["action"], e["accounting_date"], e["legal_entity_id"]) for e in task.out["accruals"]]
    assert moved == [
        ("accrual", "2026-10-20", "US"),  # cost
        ("accrual", "2026-10-20", "DE"),
        ("reversal", "2026-11-01", "DE"),
        ("accrual", "2026-11-01", "DE"),
    ]
    task.refer("periods", month(10, "open", 3))
    task.send("time-entries", approved(work_date="2026-10-20", revision=2))

    shares = [(line["customer_id"], line["amount"]) for line in task.out["billing"]]
    assert shares == [("C1", "533.36"), ("C2", "266.64")]
    assert [amount for *_, amount, _ in charges(task)] == ["400.00", "360.00"]
    assert task.figures()["funded"] == {"C1": "533.36", "C2": "266.64"}
    assert [tuple(row.values()) for row in task.figures()["margins"]] == [("cloud", "us", "800.00", "360.00", "440.00")]
    assert {entity for entity, _, _, found in journals(task) if not all(found)} == {"elimination"}
    task.send("time-entries", approved(work_date="2026-10-20", revision=3, status="deleted"))
    assert (books(task), task.figures().get("margins", [])) == ({}, [])


def test_work_in_progress_rolls_by_the_calendar_of_its_books() -> None:
    """DE's accrual waits while DE's November is to come, though the engagement has moved to FR where it has begun."""
    rolls = {"work_in_progress": "reverse_next_period"}
    task = task_under(engagement(policies=rolls))
    task.refer("periods", year("closed", revision=2, end_date="2026-01-31"))
    task.refer("periods", month(10, "open"), month(11, "future"))
    task.refer("periods", month(10, "closed", entity="FR"), month(11, "open", entity="FR"))
    task.refer("fx-rates", fx_rate(valid_from="2026-10-01"))
    task.send("time-entries", time_entry(work_date="2026-10-20"))
    task.refer("periods", month(10, "closed", 2))
    task.clear()
    task.send("engagements", engagement(revision=2, legal_entity_id="FR", policies=rolls))

    assert (task.out["accruals"], [held["waits_on"] for held in task.out["exceptions"]]) == ([], ["period:DE"])


def ledgered(history: History, *, rolls: bool) -> History:
    """The history between its entities, under the ledger's policies, with maps of both and a split bill."""
    policies = {
        "margin": "by_practice_and_region",
        "fx_policy": {"quotation": "either", "date": "accounting_date"},
        "work_in_progress": "reverse_next_period" if rolls else "until_billed",
        "accounting_date": "period_end",
    }
    charged = between(history, {"policies": {**agreed()["policies"], **policies}}, "AT")
    maps = [numbers("DE"), numbers("AT")]
    streams = {**charged.streams, "account-maps": maps}
    streams["engagements"] = [{**sent, "funding": SPLIT} for sent in streams["engagements"]]
    return History({**charged.terms, "funding": SPLIT}, streams)


def told(task: Task) -> tuple[object, object, object]:
    """The figures that these policies add, and what stands on every account of every entity."""
    state = task.state.engagements.get(task.state.engagements.key("E1"))
    assert state is not None
    return state.funded, state.margins, books(task)


@LAW
@given(histories(time_and_materials), chances, chances, chances)
def test_any_order_leaves_the_same_books(history: History, chance: Random, other: Random, which: Random) -> None:
    """Every stream in any order: the same lines by customer, margins by practice, books of every entity (M9)."""
    mixed = ledgered(history, rolls=which.random() < 0.5)
    one, two = play(mixed.interleaved(chance), law), play(mixed.interleaved(other))
    money_is_right(one, mixed)
    state = one.state.engagements.get(one.state.engagements.key("E1"))

    assert told(one) == told(two)
    assert state is not None
    assert sum(state.funded.values()) == state.billed
    assert sum(row.earned - row.cost for row in state.margins.values()) == state.earned - state.cost
