"""The law of money under contracts that weigh entries and name approvers, over generated histories.

Goal: no order of entries, decisions, terms and prices bills what nobody allowed approved, or leaves out what was.
Method: histories of histories.py, with people and days on their decisions, against a model that knows only the records.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from .. import builders as records
from . import sums
from .histories import History, chances, histories, late_changes, play
from .model import Expected, accepted
from .test_invariants import always_true, figures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .histories import Changes
    from .model import Name

LAW = settings(max_examples=120)
PEOPLE = ("R-1", "R-2", "R-3", "")
DAYS = ("2026-11-20", "2026-12-20", None)

amounts = st.sampled_from(["0", "25", "99.97", "250", "799.76"])
thresholds = st.lists(
    st.fixed_dictionaries(
        {"level": st.sampled_from(["manager", "finance"]), "amount": amounts}, optional={"of": st.just("cost")}
    ),
    max_size=2,
)
spans = st.fixed_dictionaries({}, optional={"valid_from": st.just("2026-11-01"), "valid_to": st.just("2026-11-30")})
delegates = st.lists(st.builds(lambda who, span: {"approver_id": who, **span}, st.sampled_from(PEOPLE[:3]), spans), max_size=1)  # fmt: skip
approvers = st.lists(
    st.builds(
        lambda who, level, span, stand_ins: {"approver_id": who, "level": level, "delegates": stand_ins, **span},
        st.sampled_from(PEOPLE[:3]),
        st.sampled_from(["manager", "finance"]),
        spans,
        delegates,
    ),
    max_size=3,
)
policies = st.fixed_dictionaries(
    {"approval_thresholds": thresholds},
    optional={
        "auto_approve_under": amounts,
        "approvers": approvers,
        "approval_levels": st.sampled_from([["manager"], ["manager", "finance"]]),
        "accrue_at": st.sampled_from(["submission", "approval"]),
    },
)
terms = st.one_of(
    st.builds(lambda p: records.engagement(policies=p), policies),
    st.builds(lambda p: records.fixed_fee(policies=p), policies),
)


class Approved(Expected):
    """What stands when approval knows amounts and people."""

    def __init__(self, agreed: records.Object, steps: Iterable[tuple[str, records.Object]]) -> None:
        steps = list(steps)
        super().__init__(agreed, steps)
        decided = [sent for stream, sent in steps if stream == "approvals"]
        streams = (("time", "time-entries"), ("expense", "expenses"))
        sent = [((kind, one["id"]), one) for kind, stream in streams for name, one in steps if name == stream]
        versions = {name: accepted(one for other, one in sent if other == name) for name, _ in sent}
        for (kind, entry), known in versions.items():
            about = [d for d in decided if (d["entry_type"], d["entry_id"]) == (kind, entry) and self.allowed(d)]
            self.counts[kind, entry] = self.found((kind, entry), known, about)

    def allowed(self, decision: records.Object) -> bool:
        """Whether an approver, or their delegate, decided."""
        named = self.policies.get("approvers")
        on = decision.get("decided_on")
        who, whose = decision.get("approver_id"), decision.get("on_behalf_of")
        return not named or any(
            (one["level"], one["approver_id"]) == (decision["level"], whose or who)
            and within(one, on)
            and (not whose or any(other["approver_id"] == who and within(other, on) for other in one["delegates"]))
            for one in named
        )

    def found(
        self, name: Name, versions: list[records.Object], decisions: list[records.Object]
    ) -> tuple[records.Object | None, str]:
        """The version that counts and whether it is approved or pending."""
        pending = None
        for version in reversed(versions):
            stands = self.stands(name, version, [d for d in decisions if d["entry_revision"] == version["revision"]])
            if stands == "approved":
                return version, stands
            pending = pending or (version if stands == "pending" else None)
            if stands == "void" or version["status"] not in {"draft", "submitted"}:
                break
        return pending, "pending" if pending else "void"

    def stands(self, name: Name, version: records.Object, decisions: list[records.Object]) -> str:
        """draft, pending, approved or void."""
        status = version["status"]
        if status in {"draft", "deleted"}:
            return "draft" if status == "draft" else "void"
        last = {level: max(d["sequence"] for d in decisions if d["level"] == level) for level in {d["level"] for d in decisions}}  # fmt: skip
        spoken = [d for d in decisions if d["sequence"] == last[d["level"]]]
        if any(d["verdict"] != "approved" for d in spoken):
            return "void"
        if status == "approved":
            return "approved"
        needed, small = self.needed(name, version)
        if spoken or (small and status == "submitted" and not needed):
            return "approved" if needed <= set(last) else "pending"
        return "pending" if status == "submitted" else "void"

    def needed(self, name: Name, version: records.Object) -> tuple[set[str], bool]:
        """Levels this version needs, and whether it is small."""
        self.counts[name] = version, "approved"
        cost = abs(self.cost(name))
        billable = version.get("billable", True) and (name[0] == "expense" or "fee" not in self.terms)
        price = abs(self.price(name)) if billable else cost
        under = self.policies.get("auto_approve_under")
        small = under is not None and price < sums.minor(under)
        reached = {
            asked["level"]
            for asked in self.policies["approval_thresholds"]
            if (cost if asked.get("of") == "cost" else price) >= sums.minor(asked["amount"])
        }
        return reached | (set() if small else set(self.policies.get("approval_levels", []))), small


def within(span: records.Object, on: str | None) -> bool:
    """Whether a day lies between the dates; no dates hold always, no day never within dates."""
    dates = span.get("valid_from"), span.get("valid_to")
    return dates == (None, None) or (on is not None and (dates[0] or on) <= on <= (dates[1] or on))


def decided_by(chance: Random, decision: records.Object) -> records.Object:
    """The decision, with who took it for whom and when."""
    who, whose, on = chance.choice(PEOPLE), chance.choice(("", "", *PEOPLE[:3])), chance.choice(DAYS)
    whose = "" if whose == who or not who else whose
    return {**decision, "approver_id": who, "on_behalf_of": whose, **({} if on is None else {"decided_on": on})}


@st.composite
def decided_histories(draw: st.DrawFn) -> History:
    """Histories in which people of all kinds decide, some sequences at once."""
    history = draw(histories(terms, entries=2))
    chance = draw(chances)
    decisions = [decided_by(chance, decision) for decision in history.streams["approvals"]]
    return History(history.terms, {**history.streams, "approvals": decisions})


def money_is_right(task: records.Task, history: History) -> None:
    """With everything known, each entry stands as its records say."""
    expected = Approved(history.terms, history.in_order())
    for name in expected.counts:
        assert (name, expected.billed(name)) == (name, sums.billed(task, name))  # M1
        assert (name, expected.unbilled(name)) == (name, sums.accrued(task, "work_in_progress", name))  # M2
    assert figures(task)["cost"] == sum(expected.cost(name) for name in expected.counts)
    assert sums.earned(task, "cost_to_cost") == expected.recognised()
    reasons = {hold.reason for key in task.state.holds.bytes if (hold := task.state.holds.get(key))}
    assert reasons <= {"approver_not_allowed"}


@LAW
@given(decided_histories(), chances, st.integers(0, 5))
def test_only_what_was_approved_by_those_who_may_is_billed(
    history: History, chance: Random, restart_every: int
) -> None:
    """In any order and with crashes, the bill is what amounts, people and days allow (M1-M8)."""
    money_is_right(play(history.interleaved(chance), always_true, restart_every), history)


@LAW
@given(decided_histories(), chances, chances)
def test_any_order_gives_the_same_money(history: History, chance: Random, other: Random) -> None:
    """Two orders in which the same streams meet leave the same figures (M9)."""
    assert figures(play(history.interleaved(chance))) == figures(play(history.interleaved(other)))


@LAW
@given(decided_histories(), policies, late_changes, chances, chances)
def test_who_and_how_much_may_change_at_any_time(
    history: History, later: records.Object, changes: Changes, chance: Random, other: Random
) -> None:
    """Other approvers, thresholds and rates, before, between or after the entries, leave the same figures (M9)."""
    changing = history.changed({**changes, "engagements": {**changes.get("engagements", {}), "policies": later}})
    one = play(changing.interleaved(chance), always_true)

    assert figures(one) == figures(play(changing.interleaved(other)))


@LAW
@given(decided_histories(), chances)
def test_nothing_unapproved_is_billed_on_the_way(history: History, chance: Random) -> None:
    """After every record that is not held by what is unknown, no more is billed than is approved by then (M6)."""

    def approved_only(task: records.Task, steps: list[tuple[str, records.Object]]) -> None:
        unknown = {
            key[1:].decode().split("\x1f")[0] + key.decode().rsplit("\x1f", 1)[1]
            for key in task.state.holds.bytes
            if (hold := task.state.holds.get(key)) and hold.reason != "approver_not_allowed"
        }
        if any(stream == "engagements" for stream, _ in steps):
            expected = Approved(history.terms, steps)
            for name in expected.counts:
                if "".join(name) not in unknown:
                    assert (name, expected.billed(name)) == (name, sums.billed(task, name))

    play(history.interleaved(chance), approved_only)
