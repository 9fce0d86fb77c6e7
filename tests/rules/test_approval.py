"""Which version of an entry counts: every status with every verdict, levels, and any order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from billtide.agents.rules.approval import STANDINGS, VOIDS, Decided, Standing, counting, decide, standing
from billtide.agents.rules.settlement import EARLIER_MAX, supersede
from billtide.codecs.approval import ApprovalLevel, Verdict
from billtide.codecs.entry_state import Approvals, Decision, EntryState
from billtide.codecs.time_entry import EntryStatus

from .builders import DAY, version

if TYPE_CHECKING:
    from collections.abc import Iterable

LEVELS = get_args(ApprovalLevel)
BOTH: tuple[ApprovalLevel, ...] = ("manager", "finance")


def entry_of(*statuses: EntryStatus) -> EntryState:
    """An entry whose revisions 1, 2, ... came in order with these statuses."""
    first, *rest = (version(revision=at, status=status) for at, status in enumerate(statuses, start=1))
    entry = EntryState(first)
    for sent in rest:
        supersede(entry, sent)
    return entry


def stands(entry: EntryState, *decisions: Decision, levels: tuple[ApprovalLevel, ...] = ()) -> tuple[int | None, str]:
    """Revision that counts, and as what."""
    counts, standing_of_it = counting(entry, Approvals(decisions) if decisions else None, levels)
    return (None if counts is None else counts.revision), standing_of_it


@pytest.mark.parametrize(
    ("status", "undecided", "approved", "rejected", "recalled"),
    [
        pytest.param("draft", "draft", "draft", "draft", "draft", id="draft-is-not-open-to-decisions"),
        pytest.param("submitted", "pending", "approved", "void", "void", id="submitted-waits-for-one"),
        pytest.param("approved", "approved", "approved", "void", "void", id="approved-can-be-withdrawn"),
        pytest.param("rejected", "void", "approved", "void", "void", id="rejected-can-be-approved-after-all"),
        pytest.param("recalled", "void", "approved", "void", "void", id="recalled-can-be-approved-after-all"),
        pytest.param("deleted", "void", "void", "void", "void", id="deleted-stays-void"),
    ],
)
def test_a_verdict_overrides_the_status_of_its_revision(
    status: EntryStatus, undecided: str, approved: str, rejected: str, recalled: str
) -> None:
    """Status and verdict together give the standing; a tombstone and a draft are not decided about."""
    sent = version(status=status)
    expected = (undecided, approved, rejected, recalled)
    decided = (standing(sent, [Decision(1, "manager", 1, verdict)], ()) for verdict in get_args(Verdict))
    actual = (standing(sent, (), ()), *decided)

    assert expected == actual


def test_every_status_and_verdict_is_in_the_tables() -> None:
    """A new status or verdict on the wire has to be given a meaning here."""
    assert set(get_args(EntryStatus)) == set(STANDINGS)
    assert set(get_args(Verdict)) == set(VOIDS)
    for row in STANDINGS.values():
        assert set(row) == set(get_args(Decided))
        assert set(row.values()) <= set(get_args(Standing))


@pytest.mark.parametrize(
    ("status", "verdicts", "levels", "expected"),
    [
        pytest.param("submitted", {"project": "approved"}, (), "approved", id="any-level-where-none-is-asked-for"),
        pytest.param("submitted", {"manager": "approved"}, BOTH, "pending", id="one-of-two-is-not-enough"),
        pytest.param("submitted", {"manager": "approved", "finance": "approved"}, BOTH, "approved", id="all-levels"),
        pytest.param("submitted", {"project": "approved"}, ("finance",), "pending", id="a-level-nobody-asked-for"),
        pytest.param(
            "submitted", {"manager": "approved", "finance": "rejected"}, BOTH, "void", id="one-rejection-voids"
        ),
        pytest.param("submitted", {"manager": "recalled"}, BOTH, "void", id="a-recall-voids"),
        pytest.param("approved", {"manager": "approved"}, BOTH, "approved", id="approved-at-source-needs-no-level"),
        pytest.param("approved", {"finance": "rejected"}, BOTH, "void", id="finance-stops-what-the-source-approved"),
        pytest.param("rejected", {"manager": "approved"}, BOTH, "pending", id="rejected-then-half-approved-waits"),
    ],
)
def test_approval_needs_every_level_the_contract_asks_for(status: EntryStatus, verdicts: dict[ApprovalLevel, Verdict], levels: tuple[ApprovalLevel, ...], expected: str) -> None:  # fmt: skip
    """Levels are collected one by one; one that withdraws outweighs all that approve."""
    decisions = [Decision(1, level, 1, verdict) for level, verdict in verdicts.items()]

    assert expected == standing(version(status=status), decisions, levels)


def test_a_decision_is_about_its_own_revision() -> None:
    """The approval of revision 1 says nothing about revision 2."""
    assert standing(version(revision=2), [Decision(1, "manager", 1, "approved")], ()) == "pending"


@pytest.mark.parametrize(
    ("statuses", "decisions", "expected"),
    [
        pytest.param(["draft"], [], (None, "void"), id="a-draft-is-nothing"),
        pytest.param(["submitted"], [], (1, "pending"), id="submitted"),
        pytest.param(["approved"], [], (1, "approved"), id="approved-at-source"),
        pytest.param(["submitted", "submitted"], [], (2, "pending"), id="the-highest-pending-one"),
        pytest.param(["submitted", "draft"], [], (1, "pending"), id="a-draft-leaves-the-pending-one"),
        pytest.param(["approved", "submitted"], [], (1, "approved"), id="stands-until-its-correction-is-approved"),
        pytest.param(["approved", "draft"], [], (1, "approved"), id="stands-while-its-correction-is-drafted"),
        pytest.param(["approved", "submitted"], [(2, "approved")], (2, "approved"), id="the-correction-is-approved"),
        pytest.param(
            ["approved", "submitted"], [(2, "rejected")], (None, "void"), id="a-rejected-correction-withdraws-all"
        ),
        pytest.param(["approved", "deleted"], [], (None, "void"), id="deleted"),
        pytest.param(["approved", "deleted"], [(2, "approved")], (None, "void"), id="approval-does-not-undelete"),
        pytest.param(["approved", "deleted", "submitted"], [], (3, "pending"), id="sent-again-after-deletion"),
        pytest.param(["approved", "recalled", "submitted"], [], (3, "pending"), id="handed-in-again-after-recall"),
        pytest.param(
            ["submitted", "submitted"], [(1, "approved")], (1, "approved"), id="a-late-approval-of-the-earlier-one"
        ),
        pytest.param(["submitted", "submitted"], [(1, "rejected")], (2, "pending"), id="a-rejected-earlier-one"),
        pytest.param(
            ["submitted", "draft", "submitted"], [(1, "approved")], (1, "approved"), id="found-below-two-others"
        ),
    ],
)
def test_the_version_that_counts(
    statuses: list[EntryStatus], decisions: list[tuple[int, Verdict]], expected: tuple[int | None, str]
) -> None:
    """The search goes down from the highest revision and ends at the first approved or void one."""
    actual = stands(
        entry_of(*statuses), *(Decision(revision, "manager", 1, verdict) for revision, verdict in decisions)
    )

    assert expected == actual


@pytest.mark.parametrize(
    ("sequences", "expected"),
    [
        pytest.param([1], ["applied"], id="first"),
        pytest.param([1, 1], ["applied", "duplicate"], id="again"),
        pytest.param([2, 1], ["applied", "stale"], id="late"),
        pytest.param([1, 2], ["applied", "applied"], id="newer"),
    ],
)
def test_decisions_are_ordered_by_their_sequence(sequences: list[int], expected: list[str]) -> None:
    """Of one revision and level the highest sequence stands, the same again is a duplicate, a lower one stale."""
    kept = Approvals()
    actual = [decide(kept, Decision(1, "manager", sequence, "approved")) for sequence in sequences]

    assert expected == actual
    assert [max(sequences)] == [decision.sequence for decision in kept.decisions]


def test_a_decision_kept_before_approvers_were_named_is_still_read() -> None:
    """A changelog written without approver and day means that they are not known."""
    old = msgspec.msgpack.encode((3, "manager", 1, "approved"))

    assert msgspec.msgpack.decode(old, type=Decision) == Decision(3, "manager", 1, "approved", "", "", None)


OTHERS = [
    pytest.param({"approver_id": "R-2"}, id="another-approver"),
    pytest.param({"on_behalf_of": "R-2"}, id="for-another-approver"),
    pytest.param({"decided_on": DAY}, id="on-another-day"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_what_a_contract_may_tell_apart_is_kept_side_by_side(other: dict[str, Any]) -> None:
    """Terms that come later may allow one of two decisions alone, so neither displaces the other."""
    first, second = Decision(1, "manager", 2, "approved", "R-1"), Decision(1, "manager", 1, "rejected", "R-1")
    kept = Approvals()
    outcomes = [decide(kept, first), decide(kept, replace(second, **other)), decide(kept, second)]

    assert outcomes == ["applied", "applied", "stale"]
    assert len(kept.decisions) == 2


@pytest.mark.parametrize(
    ("manager", "other", "expected"),
    [
        pytest.param((1, "approved"), (2, "rejected"), "void", id="later-rejection"),
        pytest.param((1, "rejected"), (2, "approved"), "approved", id="later-approval"),
        pytest.param((1, "approved"), (1, "rejected"), "void", id="at-once-the-rejection"),
        pytest.param((1, "recalled"), (1, "approved"), "void", id="at-once-the-recall"),
    ],
)
def test_between_approvers_of_a_level_the_highest_sequence_counts(
    manager: tuple[int, Verdict], other: tuple[int, Verdict], expected: str
) -> None:
    """Of two with the same sequence one that withdraws counts, whichever came first."""
    decisions = (Decision(1, "manager", *manager, "R-1"), Decision(1, "manager", *other, "R-2"))

    assert {expected} == {standing(version(), order, ()) for order in (decisions, decisions[::-1])}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param("submitted", "approved", id="submitted-needs-nobody"),
        pytest.param("draft", "draft", id="a-draft-is-not-handed-in"),
        pytest.param("rejected", "void", id="rejected-stays-so"),
        pytest.param("recalled", "void", id="recalled-stays-so"),
        pytest.param("deleted", "void", id="deleted-stays-so"),
    ],
)
def test_where_no_decision_is_needed_handing_in_is_enough(status: EntryStatus, expected: str) -> None:
    """Approval without a decision lifts what was handed in, nothing else; a level that is still asked for stops it."""
    assert expected == standing(version(status=status), (), (), waived=True)
    assert standing(version(status=status), (), ("finance",), waived=True) == standing(version(status=status), (), ())


def test_revisions_and_levels_are_ordered_apart() -> None:
    """A low sequence is only stale within its own revision and level."""
    kept = Approvals()
    decisions = [
        Decision(1, "manager", 5, "approved"),
        Decision(2, "manager", 1, "approved"),
        Decision(1, "finance", 1, "approved"),
    ]

    assert [decide(kept, decision) for decision in decisions] == ["applied"] * 3


def test_revisions_that_wait_for_a_decision_are_bounded() -> None:
    """More pending revisions than the limit give the oldest up; the state of an entry does not grow for ever."""
    entry = entry_of(*["submitted"] * (EARLIER_MAX + 5))

    assert len(entry.earlier) == EARLIER_MAX
    assert entry.earlier[0].revision == 5


decisions_of_two_revisions = st.lists(
    st.builds(
        Decision,
        st.integers(1, 3),
        st.sampled_from(LEVELS),
        st.integers(1, 4),
        st.sampled_from(get_args(Verdict)),
        st.sampled_from(["", "R-1"]),
    ),
    max_size=6,
    unique_by=lambda d: (d.entry_revision, d.level, d.sequence, d.approver_id),
)


def kept(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """What stands after these decisions came."""
    approvals = Approvals()
    for decision in decisions:
        decide(approvals, decision)
    return approvals.decisions


@given(
    st.lists(st.sampled_from(get_args(EntryStatus)), min_size=1, max_size=3),
    st.data(),
    st.sets(st.sampled_from(LEVELS)),
)
def test_the_order_of_decisions_does_not_matter(
    statuses: list[EntryStatus], data: st.DataObject, levels: set[ApprovalLevel]
) -> None:
    """Whatever order decisions arrive in, the same version counts as the same (M9)."""
    decisions = data.draw(decisions_of_two_revisions)
    other = data.draw(st.permutations(decisions))
    entry, asked = entry_of(*statuses), tuple(sorted(levels))

    assert stands(entry, *kept(decisions), levels=asked) == stands(entry, *kept(other), levels=asked)
