"""The demonstration's check finds what it must find: an event that is missing, there twice, or of another amount."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from billtide.app.demo import firm
from billtide.app.demo.verdict import money

from .memory import Memory, Read, played, reckoned, verdict_on

if TYPE_CHECKING:
    from billtide.app.demo.reckoning import Reckoning


@pytest.fixture(scope="module")
def week() -> firm.Week:
    """A week."""
    return firm.sample_week(7)


@pytest.fixture(scope="module")
def reckoning(week: firm.Week) -> Reckoning:
    """What it comes to."""
    return reckoned(*week.phases)


@pytest.fixture(scope="module")
def whole(week: firm.Week) -> Memory:
    """The week as it was taken in."""
    return played(week)


@pytest.fixture
def memory(whole: Memory) -> Memory:
    """A copy of what it left, to be spoilt."""
    spoilt = copy.copy(whole)
    vars(spoilt).update(
        left=defaultdict(list, {stream: list(records) for stream, records in whole.left.items()}),
        outcomes=Counter(whole.outcomes),
    )
    return spoilt


def changed(record: Read, **fields: object) -> Read:
    """A record whose value says something else."""
    return record._replace(value=msgspec.json.encode(msgspec.json.decode(record.value or b"") | fields))


def first(memory: Memory, stream: str, *, action: str = "") -> int:
    """Place of the first event of a stream, of one action if that is asked for."""
    return next(
        at
        for at, record in enumerate(memory.left[stream])
        if not action or msgspec.json.decode(record.value or b"")["action"] == action
    )


@pytest.mark.parametrize("stream", ["billing", "accruals", "revenue", "exceptions", "dead-letters"])
def test_a_missing_event_is_found(stream: str, memory: Memory, reckoning: Reckoning) -> None:
    """Without its last event a stream is not as reckoned."""
    before = len(verdict_on(memory, reckoning).problems)
    if stream == "accruals":
        kinds = [msgspec.json.decode(record.value or b"")["kind"] for record in memory.left[stream]]
        del memory.left[stream][kinds.index("work_in_progress")]
    elif stream in {"billing", "revenue"}:
        amounts = [Decimal(msgspec.json.decode(record.value or b"")["amount"]) for record in memory.left[stream]]
        del memory.left[stream][next(at for at, amount in enumerate(amounts) if amount)]
    elif stream == "exceptions":
        waiting = [b'"waits_on":"engagement:E-9001"' in (record.value or b"") for record in memory.left[stream]]
        del memory.left[stream][waiting.index(True)]
    else:
        memory.left[stream].pop()

    assert len(verdict_on(memory, reckoning).problems) > before


def test_an_event_that_is_there_twice_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """The same id a second time counts as duplicated, and its money as a difference."""
    before = verdict_on(memory, reckoning).duplicated
    memory.left["billing"].append(memory.left["billing"][first(memory, "billing", action="charge")])
    verdict = verdict_on(memory, reckoning)

    assert verdict.duplicated == before + 1
    assert verdict.difference
    assert not verdict.ok


def test_another_amount_is_a_difference_of_that_much(memory: Memory, reckoning: Reckoning) -> None:
    """A charge of one unit less differs by that unit, in its currency."""
    at = first(memory, "billing", action="charge")
    event = msgspec.json.decode(memory.left["billing"][at].value or b"")
    whole, point, places = event["amount"].partition(".")
    memory.left["billing"][at] = changed(memory.left["billing"][at], amount=f"{int(whole) - 1}{point}{places}")
    verdict = verdict_on(memory, reckoning)

    assert verdict.difference == {event["currency"]: 10 ** len(places)}


def test_room_under_a_cap_that_another_entry_has_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """Two lines of a capped engagement with each other's amounts: the sum is right, and neither entry is."""
    billing = memory.left["billing"]
    lines = [(at, msgspec.json.decode(record.value or b"")) for at, record in enumerate(billing)]
    (one, first_line), *others = [(at, line) for at, line in lines if line["engagement_id"] == "E-0059"]
    other, second = next(pair for pair in others if pair[1]["amount"] != first_line["amount"])
    billing[one] = changed(billing[one], amount=second["amount"])
    billing[other] = changed(billing[other], amount=first_line["amount"])
    found = verdict_on(memory, reckoning)

    assert not any(found.difference.values())
    assert {first_line["entry_id"], second["entry_id"]} == {
        line["entry_id"] for _, line in lines for problem in found.problems if f"id='{line['entry_id']}'" in problem
    }


def test_other_hours_are_found(memory: Memory, reckoning: Reckoning) -> None:
    """Figures that show hours nobody worked are a problem, though no money differs."""
    memory.left["engagement-figures"][-1] = changed(memory.left["engagement-figures"][-1], approved_hours="0.000001")
    verdict = verdict_on(memory, reckoning)

    assert not any(verdict.difference.values())
    assert [problem for problem in verdict.problems if "approved_hours is 0.000001" in problem]


@pytest.mark.parametrize("what", ["estimate_at_completion", "estimate_to_complete"])
@pytest.mark.parametrize("told", ["1", None])
def test_another_estimate_is_found(what: str, told: str | None, memory: Memory, reckoning: Reckoning) -> None:
    """Figures with another estimate of cost, or none where one is known, are a problem."""
    known = [msgspec.json.decode(record.value or b"").get(what) for record in memory.left["engagement-figures"]]
    at = max(at for at, amount in enumerate(known) if amount is not None)
    memory.left["engagement-figures"].append(changed(memory.left["engagement-figures"][at], **{what: told}))

    assert [problem for problem in verdict_on(memory, reckoning).problems if f"{what} is" in problem]


def test_another_margin_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """Figures that show the margin of a practice as that of another are a problem."""
    shown = [msgspec.json.decode(record.value or b"").get("margins") for record in memory.left["engagement-figures"]]
    at = max(at for at, rows in enumerate(shown) if rows)
    rows = [row | {"practice": "knitting"} for row in shown[at]]
    memory.left["engagement-figures"].append(changed(memory.left["engagement-figures"][at], margins=rows))

    assert [problem for problem in verdict_on(memory, reckoning).problems if "knitting" in problem]


def test_other_customers_are_found(memory: Memory, reckoning: Reckoning) -> None:
    """A line to another customer than those who pay together is a problem, though the money is the same."""
    payers = [msgspec.json.decode(record.value or b"")["customer_id"] for record in memory.left["billing"]]
    at = payers.index("C-901")
    memory.left["billing"][at] = changed(memory.left["billing"][at], customer_id="C-777")
    verdict = verdict_on(memory, reckoning)

    assert not any(verdict.difference.values())
    assert any("C-777" in problem for problem in verdict.problems)


@pytest.mark.parametrize(
    ("stream", "fields", "said"),
    [
        pytest.param("posting-states", {"state": "posted"}, "is Answered(state='posted'", id="a state"),
        pytest.param("posting-states", {"documents": ["X"]}, "frozenset({'X'})", id="a document"),
        pytest.param("engagement-figures", {"cash": "1"}, "cash is", id="cash"),
        pytest.param("engagement-figures", {"fx_differences": {"EUR": "1234567"}}, "fx_differences is", id="a difference"),
        pytest.param("engagement-figures", {"not_invoiced": "1"}, "not_invoiced is", id="not invoiced"),
    ],
)  # fmt: skip
def test_other_receivables_are_found(
    stream: str, fields: dict[str, object], said: str, memory: Memory, reckoning: Reckoning
) -> None:
    """What is told of a billing event or of an engagement's documents is compared."""
    answered = {name for name, expected in reckoning.engagements.items() if expected.receivables.lines}
    records = memory.left[stream]
    latest = {
        (value["engagement_id"], value.get("billing_id")): (record, value)
        for record in records
        if (value := msgspec.json.decode(record.value or b""))["engagement_id"] in answered
    }
    right = next(record for record, value in latest.values() if any(value.get(k) != v for k, v in fields.items()))
    records.append(changed(right, **fields))

    assert any(said in problem for problem in verdict_on(memory, reckoning).problems)


@pytest.mark.parametrize("kind", ["invoice", "payment", "write_off", "fx_difference"])
def test_a_missing_journal_of_a_document_is_found(kind: str, memory: Memory, reckoning: Reckoning) -> None:
    """Each kind of journal that a document brings about is added up."""
    records = memory.left["accruals"]
    kinds = [msgspec.json.decode(record.value or b"")["kind"] for record in records]
    del records[kinds.index(kind)]

    assert any(f"journals of kind {kind}" in problem for problem in verdict_on(memory, reckoning).problems)


def test_a_rounding_line_that_is_missing_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """The lines of its month no longer come to their exact sum."""
    kinds = [msgspec.json.decode(record.value or b"")["kind"] for record in memory.left["billing"]]
    del memory.left["billing"][kinds.index("rounding")]

    assert any("rounding of the lines to" in problem for problem in verdict_on(memory, reckoning).problems)


def test_another_account_number_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """A journal without numbers, of a contract that posts nothing without, is a problem, though the money is the same."""
    events = [msgspec.json.decode(record.value or b"") for record in memory.left["revenue"]]
    at = next(at for at, event in enumerate(events) if event["engagement_id"] == "E-0036")
    unnumbered = [{field: line[field] for field in ("account", "side", "amount")} for line in events[at]["lines"]]
    memory.left["revenue"][at] = changed(memory.left["revenue"][at], lines=unnumbered)
    verdict = verdict_on(memory, reckoning)

    assert not any(verdict.difference.values())
    assert any("which no account map has" in problem for problem in verdict.problems)


def test_another_charge_between_entities_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """Without one of its four journals a charge between legal entities is a problem."""
    kinds = [msgspec.json.decode(record.value or b"")["kind"] for record in memory.left["accruals"]]
    del memory.left["accruals"][kinds.index("sale_elimination")]

    assert any("sale_elimination" in problem for problem in verdict_on(memory, reckoning).problems)


def test_a_charge_on_another_day_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """What is dated by its approval and charged on a day when nobody approved it is a problem."""
    lines = [msgspec.json.decode(record.value or b"") for record in memory.left["billing"]]
    for at, line in enumerate(lines):
        if line["engagement_id"] == "E-0026":
            memory.left["billing"][at] = changed(memory.left["billing"][at], accounting_date="2025-11-30")

    assert any("when nothing of it was approved" in problem for problem in verdict_on(memory, reckoning).problems)


def test_a_journal_with_unequal_sides_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """Debits that are not the credits are named by the event's id."""
    record = memory.left["revenue"][0]
    event = msgspec.json.decode(record.value or b"")
    lines = [event["lines"][0], event["lines"][1] | {"amount": "1"}]
    memory.left["revenue"][0] = changed(record, lines=lines)

    assert f"journal {event['id']} does not balance" in verdict_on(memory, reckoning).problems


def test_a_record_without_disposition_is_lost(memory: Memory, reckoning: Reckoning) -> None:
    """Inputs less dispositions are lost records (M5)."""
    memory.outcomes["applied"] -= 1

    assert verdict_on(memory, reckoning).lost == 1


def test_money_of_unknown_engagements_is_found(memory: Memory, reckoning: Reckoning) -> None:
    """Billing for an engagement that nobody reckoned with is a problem."""
    at = first(memory, "billing", action="charge")
    memory.left["billing"][at] = changed(memory.left["billing"][at], engagement_id="E-7777")

    assert any("E-7777" in problem for problem in verdict_on(memory, reckoning).problems)


def test_sums_are_shown_with_the_places_of_their_currency() -> None:
    """Minor units become decimal text; no sums at all are 0.00."""
    assert money({"EUR": 12_345, "JPY": 678}) == "EUR:123.45,JPY:678"
    assert money({}) == "0.00"
