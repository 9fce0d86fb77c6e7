"""Decisions of people the terms do not name: they do not count, are told, and count as soon as the terms allow it."""

from __future__ import annotations

import pytest

from billtide.codecs import dead_letter

from ..builders import Object, Task, approval, engagement, expense, rate_card, ready_task, resource, time_entry, year

ANNA = {"approver_id": "R-1", "level": "manager"}
TERMS = engagement(policies={"approvers": [ANNA]})
BOTH = engagement(revision=2, policies={"approvers": [ANNA, {"approver_id": "R-9", "level": "manager"}]})


def held(task: Task) -> Object:
    """Held entries by reason."""
    return {reason: count for reason, count in task.figures()["held_entries"].items() if count}


def test_a_decision_of_somebody_else_does_not_count_and_is_told() -> None:
    """The entry stays unbilled and is held with a reason that names who did what and who may."""
    task = ready_task(TERMS)
    task.send("time-entries", time_entry())

    assert task.send("approvals", approval(approver_id="R-9", decided_on="2026-11-21")) == "held"
    assert task.out["billing"] == task.dead_letters == []
    assert task.figures()["unbilled"] == "800.00"
    (told,) = task.out["exceptions"]
    assert (told["reason"], told["waits_on"]) == ("approver_not_allowed", "engagement:E1")
    assert told["message"] == (
        "revision 1 was approved at level manager by R-9 on 2026-11-21, which does not count: "
        "the terms of E1 name R-1; let one of them decide then, or send terms that allow it"
    )


def test_a_decision_that_does_not_count_is_told_when_its_entry_comes() -> None:
    """It may come before its entry, which is accrued and held then."""
    task = ready_task(TERMS)
    task.send("approvals", approval(approver_id="R-9"))

    assert task.send("time-entries", time_entry()) == "held"
    assert (task.figures()["unbilled"], held(task)) == ("800.00", {"approver_not_allowed": 1})


def test_the_decision_of_an_approver_ends_the_wait() -> None:
    """One who may decides: the entry is billed and released."""
    task = ready_task(TERMS)
    task.send("time-entries", time_entry())
    task.send("approvals", approval(approver_id="R-9"))

    assert task.send("approvals", approval(approver_id="R-1")) == "applied"
    assert task.amounts() == ["800.00"]
    assert [event["action"] for event in task.out["exceptions"]] == ["held", "released"]
    assert held(task) == {}


def test_terms_that_name_them_let_the_decision_count() -> None:
    """New terms are all it takes: nothing has to be sent again (M8)."""
    task = ready_task(TERMS)
    task.send("time-entries", time_entry())
    task.send("approvals", approval(approver_id="R-9"))
    task.restart()
    task.send("engagements", BOTH)

    assert task.amounts() == ["800.00"]
    assert held(task) == {}


def test_a_decision_that_does_not_count_displaces_none() -> None:
    """A later rejection of somebody else leaves the bill, and is told; a later one of the approver takes it back."""
    task = ready_task(TERMS)
    task.send("time-entries", time_entry())
    task.send("approvals", approval(approver_id="R-1", sequence=1))
    task.send("approvals", approval(approver_id="R-9", sequence=2, verdict="rejected"))
    assert task.figures()["billed"] == "800.00"
    assert held(task) == {"approver_not_allowed": 1}
    task.send("approvals", approval(approver_id="R-1", sequence=3, verdict="recalled"))

    assert task.figures()["billed"] == "0.00"
    assert held(task) == {}


@pytest.mark.parametrize(
    ("entry", "decision"),
    [
        pytest.param({"status": "approved"}, {}, id="approved-at-source-anyway"),
        pytest.param({"status": "draft"}, {}, id="not-open-to-decisions"),
        pytest.param({"status": "rejected"}, {"verdict": "rejected"}, id="void-anyway"),
        pytest.param({"revision": 2}, {}, id="about-an-earlier-revision"),
    ],
)
def test_a_decision_that_would_change_nothing_is_not_told(entry: Object, decision: Object) -> None:
    """A hold is a question to somebody; here there is none."""
    task = ready_task(TERMS)
    task.send("time-entries", time_entry(**entry))

    assert task.send("approvals", approval(approver_id="R-9", **decision)) == "applied"
    assert task.out["exceptions"] == []


def test_a_recall_nets_to_zero_and_the_entry_can_be_handed_in_again() -> None:
    """The approver takes the approval back, the person corrects, it is approved again: only the correction is billed."""
    task = ready_task(TERMS)
    task.send("time-entries", time_entry())
    task.send("approvals", approval(approver_id="R-1"))
    task.send("approvals", approval(approver_id="R-1", sequence=2, verdict="recalled"))
    assert [task.figures()[name] for name in ("billed", "unbilled", "cost")] == ["0.00", "0.00", "0.00"]
    task.send("time-entries", time_entry(revision=2, quantity="6"))
    task.send("approvals", approval(approver_id="R-1", entry_revision=2))

    assert task.amounts() == ["800.00", "-800.00", "600.00"]


@pytest.mark.parametrize("last", ["engagements", "time-entries", "approvals", "rate-cards", "resources", "periods"])
def test_whatever_comes_last_the_bill_is_the_same(last: str) -> None:
    """Terms, entry, decisions and prices in any order: a large entry is billed once both levels have spoken (M9)."""
    people = [ANNA, {"approver_id": "R-2", "level": "finance", "delegates": [{"approver_id": "R-3"}]}]
    terms = engagement(policies={"approvers": people, "approval_thresholds": [{"level": "finance", "amount": "800"}]})
    sent = {
        "engagements": [terms],
        "time-entries": [time_entry()],
        "approvals": [approval(approver_id="R-1"), approval(approver_id="R-3", on_behalf_of="R-2", level="finance")],
        "rate-cards": [rate_card()], "resources": [resource()], "periods": [year()],
    }  # fmt: skip
    task = Task()
    for stream in (*(name for name in sent if name != last), last):
        assert task.out["billing"] == []
        (task.refer if stream in {"rate-cards", "resources", "periods"} else task.send)(stream, *sent[stream])

    assert task.amounts() == ["800.00"]


@pytest.mark.parametrize("approver", ["", "R-2"], ids=["nobody", "the-approver-themselves"])
def test_a_delegate_says_who_they_are(approver: str) -> None:
    """A decision on behalf of somebody names another person who took it."""
    task = ready_task()

    assert task.send("approvals", approval(on_behalf_of="R-2", approver_id=approver)) == "dead_lettered"
    ((_, _, headers),) = task.dead_letters
    assert dead_letter.facts(headers.items())["field"] == "$.approver_id"


@pytest.mark.parametrize(
    ("status", "verdicts", "waits"),
    [
        pytest.param("submitted", ["rejected"], True, id="a-rejection-may-not-count"),
        pytest.param("rejected", ["approved", "rejected"], True, id="an-approval-alone-may-count"),
        pytest.param("rejected", ["rejected"], False, id="void-whoever-may-decide"),
        pytest.param("deleted", ["approved"], False, id="deleted"),
        pytest.param("draft", ["approved"], False, id="not-handed-in"),
    ],
)
def test_while_the_terms_are_unknown_no_decision_is_judged(status: str, verdicts: list[str], waits: bool) -> None:  # noqa: FBT001
    """Whatever may count once the terms say whose decisions do waits for them; the rest waits for nothing."""
    task = Task()
    task.send("time-entries", time_entry(status=status))
    for at, verdict in enumerate(verdicts):
        task.send("approvals", approval(approver_id=f"R-{at}", verdict=verdict))

    assert held(task) == ({"engagement_unknown": 1} if waits else {})


@pytest.mark.parametrize("accrue_at", ["submission", "approval"])
def test_terms_that_name_others_tell_of_the_decision_that_counts_no_more(accrue_at: str) -> None:
    """R-9's rejection counted until the terms named R-1: then it is told, whether or not anything is accrued (M9)."""
    task = ready_task(engagement(policies={"accrue_at": accrue_at}))
    task.send("expenses", expense())
    task.send("approvals", approval(entry_type="expense", approver_id="R-9", verdict="rejected"))
    assert held(task) == {}
    task.send("engagements", engagement(revision=2, policies={"accrue_at": accrue_at, "approvers": [ANNA]}))

    assert held(task) == {"approver_not_allowed": 1}


def test_terms_by_which_nothing_is_accrued_end_a_wait() -> None:
    """A submitted entry waits for its rate to be accrued; where only approved ones are, it waits for nothing (M9)."""
    task = ready_task()
    task.send("time-entries", time_entry(role="partner"))
    assert held(task) == {"rate_missing": 1}
    task.send("engagements", engagement(revision=2, policies={"accrue_at": "approval"}))

    assert held(task) == {}
