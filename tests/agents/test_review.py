"""Review: a correction above the contract's amount waits for finance, whatever came first."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.codecs import dead_letter

from ..builders import Object, Task, approval, engagement, rate_card, ready_task, resource, time_entry, year

REVIEWED: Object = {"review_above": "500"}


def terms(**policies: object) -> Object:
    """Terms under which a correction of a bill by more than 500 EUR is reviewed."""
    return engagement(policies=REVIEWED | policies)


def corrected(quantity: str = "1", **policies: object) -> Task:
    """A task with 8 hours, 800 EUR, billed and corrected to so many hours."""
    task = ready_task(terms(**policies))
    task.send("time-entries", time_entry(status="approved"))
    task.send("time-entries", time_entry(revision=2, status="approved", quantity=quantity))
    return task


def review(verdict: str, revision: int = 2, **changes: object) -> Object:
    """A decision of finance about the correction by a revision."""
    return approval(entry_revision=revision, verdict=verdict, level="finance", target="correction", **changes)


def stands(task: Task) -> tuple[str, dict[str, int]]:
    """What is billed, and what waits."""
    return task.figures()["billed"], task.figures()["held_entries"]


@pytest.mark.parametrize(
    ("quantity", "billed", "waits"),
    [
        pytest.param("2.99", "800.00", True, id="a-cent-too-much"),
        pytest.param("3", "300.00", False, id="just-within"),
        pytest.param("13", "1300.00", False, id="upwards-just-within"),
        pytest.param("13.01", "800.00", True, id="upwards-too-much"),
    ],
)
def test_a_correction_above_the_amount_waits_and_what_stands_stays(quantity: str, billed: str, waits: bool) -> None:  # noqa: FBT001
    """A difference of exactly the amount passes, up or down."""
    task = corrected(quantity)

    assert stands(task) == (billed, {"awaiting_review": 1} if waits else {})
    assert task.figures()["approved_hours"] == ("8" if waits else quantity)


def test_the_hold_names_both_amounts_and_what_to_do() -> None:
    """Finance sees what the correction would change without looking anything up."""
    (told,) = corrected().out["exceptions"]

    assert (told["reason"], told["waits_on"], told["revision"]) == ("awaiting_review", "review:E1", 2)
    assert told["message"] == (
        "revision 2 changes what is billed from 800.00 to 100.00 EUR, by more than 500.00; "
        "let finance release or reject the correction"
    )


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        pytest.param([review("approved")], ("100.00", {}), id="released"),
        pytest.param([review("rejected")], ("800.00", {}), id="rejected"),
        pytest.param([review("approved"), review("recalled", sequence=2)], ("800.00", {"awaiting_review": 1}), id="release-recalled"),
        pytest.param([review("rejected"), review("approved", sequence=2)], ("100.00", {}), id="released-after-all"),
        pytest.param([approval(entry_revision=2, level="finance"), review("approved")], ("100.00", {}), id="both-by-the-same-people"),
        pytest.param([review("approved", 1)], ("800.00", {"awaiting_review": 1}), id="about-another-revision"),
        pytest.param([approval(entry_revision=2, level="finance")], ("800.00", {"awaiting_review": 1}), id="an-approval-of-the-entry"),
    ],
)  # fmt: skip
def test_finance_releases_or_rejects_a_correction(
    decisions: list[Object], expected: tuple[str, dict[str, int]]
) -> None:
    """Released it is billed, rejected what stands stays and nothing waits; only decisions about the correction count."""
    task = corrected()
    task.send("approvals", *decisions)

    assert stands(task) == expected


def test_a_review_approves_no_entry() -> None:
    """A decision about a correction is no approval of the revision: a submitted entry stays pending (M6)."""
    task = ready_task(terms())
    task.send("time-entries", time_entry())
    task.send("approvals", review("approved", 1))

    assert stands(task) == ("0.00", {})


@pytest.mark.parametrize("verdict", ["approved", "rejected"])
def test_only_approvers_of_the_terms_review(verdict: str) -> None:
    """Where the terms name who decides as finance, the decision of somebody else leaves the correction waiting."""
    named = [{"approver_id": "CFO", "level": "finance"}]
    task = corrected(approvers=named)
    task.send("approvals", review(verdict, approver_id="R1"))
    waiting = stands(task)
    task.send("approvals", review(verdict, approver_id="CFO"))

    assert waiting == ("800.00", {"awaiting_review": 1})
    assert stands(task) == ("100.00" if verdict == "approved" else "800.00", {})


def test_a_later_revision_is_weighed_against_what_counts() -> None:
    """While revision 2 waits, revision 3 is a correction of 1 and passes; once 2 is released it is one of 2, and waits."""
    task = corrected()
    task.send("time-entries", time_entry(revision=3, status="approved", quantity="7"))
    assert stands(task) == ("700.00", {})
    task.send("approvals", review("approved"))

    assert stands(task) == ("100.00", {"awaiting_review": 1})


def test_a_withdrawal_needs_no_review() -> None:
    """Nothing unapproved stays billed (M6); what is approved after it is no correction."""
    task = corrected()
    task.send("time-entries", time_entry(revision=3, status="recalled"))
    assert stands(task) == ("0.00", {})
    task.send("time-entries", time_entry(revision=4, status="approved", quantity="20"))

    assert stands(task) == ("2000.00", {})


def test_terms_that_change_judge_again() -> None:
    """A higher limit lets pass what waited, a lower one brings back what stood (M9)."""
    task = corrected("1", review_above="5000")
    assert stands(task) == ("100.00", {})
    task.send("engagements", terms() | {"revision": 2})
    assert stands(task) == ("800.00", {"awaiting_review": 1})
    task.send("engagements", engagement(revision=3))

    assert stands(task) == ("100.00", {})


def test_a_review_asked_for_later_is_of_later_corrections() -> None:
    """Of entries corrected before, nothing is kept that a review could compare: each entry would take half as much."""
    task = corrected("1", review_above=None)
    task.send("engagements", terms() | {"revision": 2})
    assert stands(task) == ("100.00", {})
    task.send("time-entries", time_entry(revision=3, quantity="8", status="approved"))

    assert stands(task) == ("100.00", {"awaiting_review": 1})


def test_a_rate_that_changes_back_in_time_judges_again() -> None:
    """Both revisions are weighed at what they are worth now: at half the rate the difference passes."""
    task = corrected("2")
    assert stands(task) == ("800.00", {"awaiting_review": 1})
    half = {"version": 2, "lines": [{"role": "analyst", "rate": "50"}]}
    task.refer("rate-cards", rate_card(**half))

    assert stands(task) == ("100.00", {})


def test_a_decision_about_an_earlier_revision_settles_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts waits for nothing, whoever decided about what it has replaced: other rates find nothing to do."""
    named = [{"approver_id": "M1", "level": "manager"}, {"approver_id": "CFO", "level": "finance"}]
    task = ready_task(terms(approvers=named))
    task.send("time-entries", time_entry(status="approved"))
    task.send("approvals", approval(verdict="rejected", approver_id="R9"))
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="7"))
    settled: list[object] = []
    monkeypatch.setattr("billtide.agents.entries.settle_entry", lambda *given: settled.append(given))
    task.refer("rate-cards", rate_card(id="more", lines=[{"role": "partner", "rate": "200"}]))

    assert stands(task) == ("700.00", {})
    assert settled == []


def test_a_correction_without_a_rate_waits_for_the_rate() -> None:
    """What cannot be weighed does not pass as small: what stands stays."""
    task = ready_task(terms())
    task.send("time-entries", time_entry(status="approved"))
    task.send("time-entries", time_entry(revision=2, status="approved", role="partner"))
    assert stands(task) == ("800.00", {"rate_missing": 1})
    task.refer("rate-cards", rate_card(id="more", lines=[{"role": "partner", "rate": "200"}]))

    assert stands(task) == ("800.00", {"awaiting_review": 1})


def test_what_cannot_be_weighed_waits_for_that_and_not_for_its_closed_month() -> None:
    """The rate is missing to weigh by: once it is there the correction waits for review, whatever the calendar (M9)."""
    task = ready_task(terms(closed_period="hold"))
    task.send("time-entries", time_entry(status="approved"))
    task.refer("periods", year("closed", revision=2))
    task.send("time-entries", time_entry(revision=2, status="approved", role="partner"))
    assert stands(task) == ("800.00", {"rate_missing": 1})
    task.refer("rate-cards", rate_card(id="more", lines=[{"role": "partner", "rate": "200"}]))

    assert stands(task) == ("800.00", {"awaiting_review": 1})


@pytest.mark.parametrize("first", ["decision", "rate"])
def test_what_finance_rejected_never_counts(first: str) -> None:
    """Not even once a change of rates makes the correction so small that nobody had to review it (M9)."""
    task = corrected("2")
    half = {"version": 2, "lines": [{"role": "analyst", "rate": "50"}]}
    if first == "rate":
        task.refer("rate-cards", rate_card(**half))
    task.send("approvals", review("rejected"))
    if first == "decision":
        task.refer("rate-cards", rate_card(**half))

    assert stands(task) == ("400.00", {})


@pytest.mark.parametrize(
    ("stream", "sent", "field"),
    [
        pytest.param("approvals", approval(target="correction"), "$.level", id="reviewed-by-a-manager"),
        pytest.param("engagements", terms(review_above="-1") | {"revision": 2}, "$.policies.review_above", id="below-zero"),
    ],
)  # fmt: skip
def test_a_review_that_makes_no_sense_is_put_aside(stream: str, sent: Object, field: str) -> None:
    """The dead letter names the field."""
    task = ready_task()
    task.send_raw(stream, b"E1", msgspec.json.encode(sent))
    ((_, _, headers),) = task.dead_letters

    assert dead_letter.facts(headers.items())["field"] == field


FACTS: dict[str, list[Object]] = {
    "engagements": [terms(review_above="900"), terms() | {"revision": 2}],
    "time-entries": [
        time_entry(),
        time_entry(revision=2, quantity="1"),
        time_entry(revision=3, quantity="6", status="approved"),
        time_entry(id="2", status="approved"),
        time_entry(id="2", revision=2, status="approved", quantity="20"),
    ],
    "approvals": [
        review("approved"),
        approval(entry_revision=2),
        approval(entry_revision=1),
        review("approved", entry_id="2", approver_id="CFO"),
        review("rejected", entry_id="2", approver_id="CFO", sequence=2),
    ],
    "periods": [year()],
    "resources": [resource()],
    "rate-cards": [rate_card()],
}


@settings(max_examples=150)
@given(st.randoms(use_true_random=False))
def test_any_order_of_streams_reviews_the_same(chance: Random) -> None:
    """Terms, revisions, approvals and reviews in any order: the same is billed and nothing waits (M9)."""
    task = Task()
    task.send_mixed(FACTS, chance)

    assert stands(task) == ("1400.00", {})
