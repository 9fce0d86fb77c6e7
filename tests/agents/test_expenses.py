"""Expenses from the wire to the money: quantities, taxes, personal parts and items. Own arithmetic."""

from __future__ import annotations

from random import Random

import pytest

from ..builders import Object, Task, engagement, expense, fx_rate, ready_task, year

MILEAGE = {"category": "mileage", "policy": "unit_price", "unit_price": "0.42", "unit": "kilometre"}
PER_DIEM = {"category": "per-diem", "policy": "unit_price", "unit_price": "28", "unit": "day"}
HOTEL = {"category": "hotel", "line_cap": "150"}
TERMS = engagement(expenses={"categories": [MILEAGE, PER_DIEM, HOTEL, {"category": "bar", "policy": "non_billable"}]})


def unsaid(**changes: object) -> Object:
    """An approved expense that does not say its amount."""
    sent = expense(status="approved", **changes)
    return {name: value for name, value in sent.items() if name != "amount" or "amount" in changes}


def driven(**changes: object) -> Object:
    """127 kilometres, approved."""
    return unsaid(**{"category": "mileage", "quantity": "127", "unit": "kilometre", **changes})


def costs(task: Task) -> list[tuple[str, ...]]:
    """Debit, credit, amount and currency of each cost accrual."""
    return [
        (*(line["account"] for line in event["lines"]), event["lines"][0]["amount"], event["currency"])
        for event in task.out["accruals"]
        if event["kind"] == "cost"
    ]


@pytest.mark.parametrize(
    ("sent", "billed", "cost"),
    [
        pytest.param(driven(), "53.34", "53.34", id="127-km-at-0.42"),
        pytest.param(driven(unit_price="0.30"), "53.34", "38.10", id="reimbursed-at-0.30"),
        pytest.param(driven(unit_price="0.30", amount="38.10"), "53.34", "38.10", id="amount-and-unit-price-agree"),
        pytest.param(driven(unit_price="0.305", amount="38.73"), "53.34", "38.73", id="38.735-rounded-down-by-the-sender"),
        pytest.param(driven(unit_price="0.305"), "53.34", "38.74", id="38.735-rounds-half-up"),
        pytest.param(unsaid(category="per-diem", quantity="2.5", unit="day"), "70.00", "70.00", id="per-diem-2.5-days-at-28"),
        pytest.param(unsaid(category="parking", quantity="3", unit="day", unit_price="4.50"), "13.50", "13.50", id="own-unit-price-at-cost"),
        pytest.param(unsaid(amount="119", tax_amount="19", tax_recoverable=True), "100.00", "100.00", id="recoverable-tax"),
        pytest.param(unsaid(amount="119", tax_amount="19"), "119.00", "119.00", id="irrecoverable-tax"),
        pytest.param(unsaid(amount="119", personal_amount="19"), "100.00", "100.00", id="personal-part"),
        pytest.param(unsaid(amount="-119", tax_amount="-19", tax_recoverable=True, personal_amount="-50"), "-50.00", "-50.00", id="refund"),
        pytest.param(unsaid(amount="180", category="hotel"), "150.00", "180.00", id="line-cap"),
    ],
)  # fmt: skip
def test_an_expense_is_billed_and_costs_what_it_says(sent: Object, billed: str, cost: str) -> None:
    """The customer pays by the terms of the category, the firm what was spent less what it gets back."""
    task = ready_task(TERMS)
    task.send("expenses", sent)

    assert (task.amounts(), task.figures()["cost"]) == ([billed], cost)


def shown(task: Task) -> list[list[str]]:
    """What each billing line shows of how its amount is made."""
    names = ("quantity", "unit", "rate", "rate_unit", "amount")
    return [[line[name] for name in names] for line in task.out["billing"]]


DRIVE = {"category": "mileage", "quantity": "127", "unit": "kilometre"}
PARKING = {"category": "parking", "quantity": "3", "unit": "day", "unit_price": "4.50"}


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        pytest.param(driven(), ["127", "kilometre", "0.42", "kilometre", "53.34"], id="mileage"),
        pytest.param(unsaid(items=[DRIVE]), ["127", "kilometre", "0.42", "kilometre", "53.34"], id="one-item"),
        pytest.param(unsaid(items=[DRIVE, {"category": "bar", "amount": "9"}]), ["1", "unit", "53.34", "unit", "53.34"], id="two-items"),
        pytest.param(unsaid(**PARKING), ["1", "unit", "13.5", "unit", "13.50"], id="at-cost"),
        pytest.param(unsaid(amount="180", category="hotel", quantity="2", unit="night"), ["1", "unit", "150", "unit", "150.00"], id="capped"),
    ],
)  # fmt: skip
def test_the_shown_quantity_times_the_shown_rate_is_the_line(sent: Object, line: list[str]) -> None:
    """Mileage is shown in kilometres at its price; what is priced otherwise is one unit at the whole amount."""
    task = ready_task(TERMS)
    task.send("expenses", sent)

    assert shown(task) == [line]


def test_a_reversal_shows_the_opposite_quantity_at_the_same_rate() -> None:
    """127 kilometres at 0.42 are taken back as -127 at 0.42."""
    task = ready_task(TERMS)
    task.send("expenses", driven())
    task.send("expenses", driven(revision=2) | {"status": "rejected"})

    assert shown(task)[1] == ["-127", "kilometre", "0.42", "kilometre", "-53.34"]


def test_the_cost_is_accrued_without_what_the_firm_gets_back() -> None:
    """Of 119 dollars with 19 of recoverable tax and 10 personal, 90 are the firm's expense and owed to the employee."""
    task = ready_task()
    task.refer("fx-rates", fx_rate())
    parts = {"tax_amount": "19", "tax_recoverable": True, "personal_amount": "10", "currency": "USD"}
    task.send("expenses", expense(amount="119", **parts))

    assert costs(task) == [("project_expense", "employee_payable", "90.00", "USD")]
    assert task.figures()["cost"] == "81.00"


def test_spend_contract_and_legal_entity_may_each_have_a_currency() -> None:
    """A Swiss entity, a contract in EUR, a dollar hotel: billed in EUR, the cost journal in USD for the entity."""
    task = ready_task(engagement(legal_entity_id="CH"))
    task.refer("periods", year(legal_entity_id="CH"))
    task.refer("fx-rates", fx_rate())
    task.send("expenses", expense(status="approved", currency="USD"))
    (line,) = task.out["billing"]

    assert [line[name] for name in ("amount", "currency", "fx_rate", "legal_entity_id")] == ["90.00", "EUR", "0.9", "CH"]  # fmt: skip
    assert costs(task) == [("project_expense", "employee_payable", "100.00", "USD")]
    assert {event["legal_entity_id"] for event in task.out["accruals"]} == {"CH"}


BILL = [
    {"category": "hotel", "amount": "214", "tax_amount": "14", "tax_recoverable": True},
    {"category": "bar", "amount": "40"},
    {"category": "travel", "amount": "56.01", "personal_amount": "20"},
    {"category": "mileage", "quantity": "10", "unit": "kilometre"},
]


def test_an_itemised_expense_is_one_entry_and_one_line() -> None:
    """Room up to 150, the bar not billed, 36.01 of travel, 10 km: 190.21 on one line; the firm bears 280.21."""
    task = ready_task(TERMS)
    task.send("expenses", unsaid(items=BILL))
    (line,) = task.out["billing"]

    assert [line[name] for name in ("quantity", "rate", "amount", "item")] == ["1", "190.21", "190.21", "travel"]
    assert task.figures()["cost"] == "280.21"


def test_a_correction_of_one_item_reverses_and_rebills() -> None:
    """The old line is taken back whole at its price, the new one has the corrected sum; what is left is that."""
    task = ready_task(TERMS)
    task.send("expenses", unsaid(items=BILL[:2]))
    task.send("expenses", unsaid(items=[BILL[0] | {"amount": "114"}, BILL[1]], revision=2))

    assert task.amounts() == ["150.00", "-150.00", "100.00"]
    assert [task.figures()[name] for name in ("billed", "cost")] == ["100.00", "140.00"]


def test_a_reversal_keeps_price_and_exchange_rate_as_billed() -> None:
    """Exchange rate, terms and tax change one by one after billing: each reversal copies what was billed before it."""
    task = ready_task(engagement(expenses={"categories": [HOTEL]}))
    task.refer("fx-rates", fx_rate())
    sent = {"amount": "119", "tax_amount": "19", "tax_recoverable": True, "currency": "USD", "category": "hotel"}
    task.send("expenses", unsaid(**sent))
    task.refer("fx-rates", fx_rate(rate="0.8", revision=2))
    task.send("engagements", engagement(revision=2, expenses={"policy": "mark_up", "mark_up_percent": "50"}))
    task.send("expenses", unsaid(**sent | {"tax_amount": "9", "revision": 2}))

    assert [(line["amount"], line["fx_rate"]) for line in task.out["billing"]] == [
        ("90.00", "0.9"),
        ("-90.00", "0.9"),
        ("80.00", "0.8"),
        ("-80.00", "0.8"),
        ("120.00", "0.8"),
        ("-120.00", "0.8"),
        ("132.00", "0.8"),
    ]


def test_a_price_that_is_not_known_waits_for_the_terms() -> None:
    """Mileage without a unit price is held with the fix, and billed once the terms bring one."""
    task = ready_task()
    assert task.send("expenses", driven()) == "held"
    held = task.out["exceptions"][-1]
    assert (held["reason"], held["waits_on"]) == ("unit_price_missing", "engagement:E1")
    task.send("engagements", TERMS | {"revision": 2})

    assert (task.amounts(), task.out["exceptions"][-1]["action"]) == (["53.34"], "released")


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_terms_expenses_and_rates_gives_the_same_money(seed: int) -> None:
    """Lines in two currencies of spend settle to the same figures however the streams meet, crashes in between (M9)."""
    steps = [
        ("engagements", TERMS),
        ("periods", year()),
        ("fx-rates", fx_rate()),
        ("expenses", driven(id="1", unit_price="0.3", currency="USD")),
        ("expenses", unsaid(id="2", items=BILL)),
        ("expenses", unsaid(id="3", amount="119", tax_amount="19", tax_recoverable=True, currency="USD")),
    ]
    Random(seed).shuffle(steps)
    task = Task()
    for stream, sent in steps:
        if stream in {"periods", "fx-rates"}:
            task.refer(stream, sent)
        else:
            task.send(stream, sent)
        task.restart()
    task.send("engagements", TERMS | {"revision": 2})
    figures = task.figures()

    assert [figures.get(name, {}) for name in ("billed", "cost", "held_entries")] == ["333.55", "404.50", {}]


WRONG = [
    pytest.param(unsaid(), "$.amount", id="nothing-said"),
    pytest.param(unsaid(amount="1.005"), "$.amount", id="half-a-cent"),
    pytest.param(driven(amount="40", unit_price="0.30"), "$.amount", id="amount-is-not-the-product"),
    pytest.param(driven(quantity="-1", amount="40"), "$.quantity", id="signs-differ"),
    pytest.param(driven(quantity="1.0000001"), "$.quantity", id="quantity-too-fine"),
    pytest.param(unsaid(amount="40", unit_price="0.30"), "$.quantity", id="unit-price-without-quantity"),
    pytest.param(driven(unit_price="-0.30"), "$.unit_price", id="negative-unit-price"),
    pytest.param(driven(quantity="999999", unit_price="999999999"), "$.unit_price", id="product-beyond-reason"),
    pytest.param(driven(unit="km"), "$.unit", id="unknown-unit"),
    pytest.param(driven(tax_amount="1"), "$.tax_amount", id="tax-of-an-unsaid-amount"),
    pytest.param(unsaid(amount="100", tax_amount="101"), "$.tax_amount", id="tax-above-the-amount"),
    pytest.param(unsaid(amount="100", tax_amount="-1"), "$.tax_amount", id="tax-below-zero"),
    pytest.param(unsaid(amount="0", personal_amount="1"), "$.personal_amount", id="part-of-nothing"),
    pytest.param(unsaid(amount="100", personal_amount="100.01"), "$.personal_amount", id="personal-above-the-amount"),
    pytest.param(unsaid(amount="100", personal_amount="90", tax_amount="11"), "$.personal_amount", id="both-above-the-amount"),
    pytest.param(unsaid(items=BILL, tax_amount="1"), "$.tax_amount", id="tax-beside-items"),
    pytest.param(unsaid(items=BILL, unit="day"), "$.unit", id="unit-beside-items"),
    pytest.param(unsaid(items=BILL, amount="310.01"), "$.amount", id="sum-with-an-unsaid-item"),
    pytest.param(unsaid(items=BILL[:2], amount="253.99"), "$.amount", id="sum-is-another"),
    pytest.param(unsaid(items=[*BILL, {"category": "bar"}]), "$.items[4].amount", id="item-without-amount"),
    pytest.param(unsaid(items=[BILL[0] | {"amount": "x"}]), "$.items[0].amount", id="item-without-number"),
    pytest.param(unsaid(items=[{"category": "bar", "amount": "1"}] * 201), "$.items", id="too-many-items"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "field"), WRONG)
def test_what_does_not_add_up_is_put_aside(sent: Object, field: str) -> None:
    """The dead letter names the field, what is wrong with it, and the fix; nothing is posted."""
    task = ready_task(TERMS)

    assert task.send("expenses", sent) == "dead_lettered"
    assert field.encode() in task.dead_letters[0][2].values()
    assert task.out["accruals"] == []


def test_items_may_confirm_the_amount() -> None:
    """An amount that is the sum of the items is taken, and changes nothing."""
    task = ready_task(TERMS)

    assert task.send("expenses", unsaid(items=BILL[:2], amount="254")) == "applied"
    assert task.amounts() == ["150.00"]


def test_what_has_always_been_sent_is_kept_as_before() -> None:
    """An amount of one category has no lines, also when it spells the defaults out."""
    task = ready_task()
    task.send("expenses", expense())
    task.send("expenses", expense(id="2", quantity="1", unit="unit", tax_amount="19", items=[]))
    entries = [task.state.entries.get(key) for key in task.state.entries.bytes]

    assert [(entry.latest.amount, entry.latest.lines) for entry in entries if entry] == [(10_000, ()), (10_000, ())]
