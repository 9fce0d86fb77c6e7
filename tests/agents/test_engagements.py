"""Terms that change: what they release, bill, recognise and refuse."""

from __future__ import annotations

import pytest

from billtide.codecs import dead_letter

from ..builders import Object, Task, assignment, capped, engagement, fixed_fee, period, ready_task, time_entry, year


def retainer(**changes: object) -> Object:
    """1,000 a month."""
    return engagement(**{"contract_type": "retainer", "fee": {"amount": "1000"}, **changes})


def month(number: int, status: str, revision: int = 1) -> Object:
    """A month of 28 days, which is enough of one."""
    start, end = f"2026-{number:02}-01", f"2026-{number:02}-28"
    return period(id=start, start_date=start, end_date=end, status=status, revision=revision)


def told(task: Task) -> list[tuple[str, str]]:
    """Holds of fees: action and reason."""
    return [(e["action"], e["reason"]) for e in task.out["exceptions"] if e["kind"] == "fee"]


def test_a_currency_cannot_change_once_entries_are_there() -> None:
    """The sums of an engagement are in one currency."""
    task = ready_task()
    task.send("time-entries", time_entry())

    assert task.send("engagements", engagement(revision=2, currency="USD")) == "dead_lettered"
    facts = dead_letter.facts(task.dead_letters[0][2].items())
    assert (facts["field"], facts["problem"]) == ("$.currency", "it was EUR and entries are posted in it")
    assert facts["fix"] == "keep the currency, or sell the rest as a new engagement"
    assert task.figures()["currency"] == "EUR"


def test_revisions_of_new_terms_in_one_slab_are_told_apart() -> None:
    """The first revisions of an engagement may come together: the highest counts, the others are stale or known."""
    task = Task()
    sent = [engagement(revision=revision, name=f"revision {revision}") for revision in (1, 3, 2, 3)]
    task.send("engagements", *sent)

    state = task.state.engagements.get(task.state.engagements.key("E1"))
    assert state is not None
    assert state.terms is not None
    assert state.terms.name == "revision 3"
    assert sorted(task.outcomes) == ["applied", "applied", "duplicate", "stale"]


def test_a_currency_may_change_while_nothing_is_there() -> None:
    """A typo in new terms can be mended."""
    task = ready_task()

    assert task.send("engagements", engagement(revision=2, currency="USD")) == "applied"


@pytest.mark.parametrize("what", ["fees", "planned cost"])
def test_a_currency_cannot_change_under_any_sum(what: str) -> None:
    """Fees that are billed and costs that are planned stand in the old currency as entries do."""
    sold = retainer if what == "fees" else engagement
    task = ready_task(sold())
    if what != "fees":
        task.send("assignments", assignment())

    assert task.send("engagements", sold(revision=2, currency="USD")) == "dead_lettered"


def test_fees_follow_the_calendar() -> None:
    """Each period that opens bills the fees that fall due in it, once; a future period is waited for in silence."""
    task = Task()
    task.refer("periods", month(1, "open"), month(2, "future"), month(3, "future"))

    assert task.send("engagements", retainer()) == "applied"
    task.refer("periods", month(2, "open", 2))
    task.wake(None)
    task.restart()
    task.refer("periods", month(3, "open", 2))

    assert [event["accounting_date"] for event in task.out["billing"]] == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert (task.figures()["fees"], task.figures()["billed"], task.figures()["earned"]) == (
        "3000.00",
        "0.00",
        "3000.00",
    )
    assert told(task) == []


def test_a_fee_of_a_closed_period_is_held_until_it_opens() -> None:
    """Finance is told once, and told the end once; the fees follow in order."""
    task = Task()
    task.refer("periods", month(1, "closed"), month(2, "open"))

    assert task.send("engagements", retainer()) == "held"
    task.wake(None)
    assert told(task) == [("held", "period_closed")]
    assert task.amounts() == []
    task.refer("periods", month(1, "open", 2))
    assert told(task) == [("held", "period_closed"), ("released", "period_closed")]
    assert [event["work_date"] for event in task.out["billing"]] == ["2026-01-01", "2026-02-01"]


def test_ids_of_fee_holds_are_not_used_again() -> None:
    """Held, released, and held again by the next closed period: each event has an id of its own (M4)."""
    task = Task()
    task.refer("periods", month(1, "closed"))
    task.send("engagements", retainer())
    for sent in (month(1, "open", 2), month(2, "closed"), month(2, "open", 2), month(3, "closed"), month(3, "open", 2)):
        task.refer("periods", sent)
    ids = [event["id"] for event in task.out["exceptions"]]

    assert told(task) == [("held", "period_closed"), ("released", "period_closed")] * 3
    assert len(set(ids)) == len(ids)


def test_new_terms_do_not_bill_a_term_again() -> None:
    """A higher fee is for the terms that are not billed yet."""
    task = Task()
    task.refer("periods", month(1, "open"), month(2, "future"))
    task.send("engagements", retainer())
    task.send("engagements", retainer(revision=2, fee={"amount": "1200"}))
    task.refer("periods", month(2, "open", 2))

    assert task.amounts() == ["1000.00", "1200.00"]


def test_a_new_estimate_catches_up_at_once() -> None:
    """Revenue of a fixed fee follows new terms without waiting for the next entry."""
    task = ready_task(fixed_fee())
    task.send("time-entries", time_entry(status="approved", quantity="1400"))
    task.send("engagements", fixed_fee(revision=2) | {"fee": {"amount": "1000000", "estimated_cost": "1400000"}})

    assert task.amounts("revenue") == ["100000.00", "-50000.00"]
    assert task.figures()["earned"] == "50000.00"


def test_a_catch_up_in_a_closed_period_is_held() -> None:
    """It is posted to the latest date that counts, once that can be posted to."""
    task = ready_task(fixed_fee())
    task.send("time-entries", time_entry(status="approved", quantity="1400"))
    task.refer("periods", year("closed", revision=2))

    assert (
        task.send("engagements", fixed_fee(revision=2) | {"fee": {"amount": "2000000", "estimated_cost": "700000"}})
        == "held"
    )
    assert task.amounts("revenue") == ["100000.00"]
    task.refer("periods", year(revision=3))
    assert task.amounts("revenue") == ["100000.00", "100000.00"]
    assert told(task) == [("held", "period_closed"), ("released", "period_closed")]


def test_a_lower_cap_takes_back_what_lies_over_it() -> None:
    """No cap is exceeded (M6): what is billed beyond a lower cap is taken back and held, the last entry's first."""
    task = ready_task(capped("1600"))
    task.send("time-entries", time_entry(status="approved"), time_entry(id="2", status="approved"))
    task.clear()
    task.send("engagements", capped("1100", revision=2))

    assert [(line["entry_id"], line["amount"]) for line in task.out["billing"]] == [("2", "-800.00"), ("2", "300.00")]
    assert (task.figures()["billed"], task.figures()["held"]) == ("1100.00", "500.00")


@pytest.mark.parametrize("slabs", [[(2, 1, 2)], [(2,), (1, 2)]], ids=["one-slab", "two-slabs"])
def test_the_highest_revision_of_new_terms_counts(slabs: list[tuple[int, ...]]) -> None:
    """A lower revision behind a higher one is stale, the same again a duplicate, also within the first slab (M9)."""
    task = Task()
    for revisions in slabs:
        task.send("engagements", *(engagement(revision=revision, name=f"v{revision}") for revision in revisions))
    known = task.state.engagements.get(b"gE1")

    assert sorted(task.outcomes) == ["applied", "duplicate", "stale"]
    assert known is not None
    assert known.terms is not None
    assert known.terms.name == "v2"
