"""Holds: found by what they wait for, in the order of release, also after a restore."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billtide.codecs.entry_state import Hold
from billtide.tables.holds import Holds


def hold(sequence: int, waits_on: str = "rates:EUR", engagement: str = "E1") -> Hold:
    """A hold at a place in its engagement's order."""
    return Hold(sequence, "rate_missing", engagement, waits_on)


def restored(holds: Holds) -> Holds:
    """The same holds after a crash."""
    holds.commit(holds.changes())
    again = Holds()
    again.bytes.update(holds.bytes)
    again.index()
    return again


def test_holds_are_released_in_their_order() -> None:
    """By engagement, then as they were held; numbers, not texts, so that 10 comes after 9."""
    holds = Holds()
    for key, value in {b"hc": hold(10), b"ha": hold(9), b"hb": hold(1, engagement="E2"), b"hd": hold(2)}.items():
        holds.put(key, value)

    assert holds.waiting_on("rates:EUR") == [b"hd", b"ha", b"hc", b"hb"]
    assert restored(holds).waiting_on("rates:EUR") == [b"hd", b"ha", b"hc", b"hb"]


def test_holds_of_one_sequence_are_released_by_their_keys() -> None:
    """In whatever order they came, also after a restore; the first place is that of the engagement asked for."""
    holds = Holds()
    for key, value in {b"hc": hold(-1), b"ha": hold(-1), b"hb": hold(-7, engagement="E2"), b"hd": hold(2)}.items():
        holds.put(key, value)

    assert holds.waiting_on("rates:EUR") == restored(holds).waiting_on("rates:EUR") == [b"ha", b"hc", b"hd", b"hb"]
    assert [holds.first_place("rates:EUR", engagement) for engagement in ("E1", "E2")] == [-1, -7]


def test_a_hold_that_waits_for_something_else_moves() -> None:
    """It is found by its new word only, and keeps its place."""
    holds = Holds()
    holds.put(b"ha", hold(1))
    holds.put(b"ha", hold(1, "fx:USD/EUR"))

    assert (holds.waiting_on("rates:EUR"), holds.waiting_on("fx:USD/EUR")) == ([], [b"ha"])
    assert holds.waited_on() == ["fx:USD/EUR"]


def test_a_hold_that_ended_is_not_found() -> None:
    """Before and after the commit, and after a restore."""
    holds = Holds()
    holds.put(b"ha", hold(1))
    holds.commit(holds.changes())
    holds.delete(b"ha")

    assert (holds.waiting_on("rates:EUR"), holds.waited_on()) == ([], [])
    assert restored(holds).waited_on() == []


def test_ending_what_is_not_held_does_nothing() -> None:
    """A second end of the same hold is no error."""
    holds = Holds()
    holds.delete(b"ha")

    assert holds.waited_on() == []


WORDS = st.sampled_from(["rates:EUR", "resource:R1", "period:DE"])
CHANGES = st.lists(st.tuples(st.sampled_from([b"ha", b"hb", b"hc", b"hd"]), st.none() | st.tuples(WORDS, st.sampled_from(["E1", "E2"])), st.booleans()), max_size=30)  # fmt: skip


@given(CHANGES)
def test_the_index_is_what_a_search_would_find(changes: list[tuple[bytes, tuple[str, str] | None, bool]]) -> None:
    """After any puts, deletions, commits and a restore, the index agrees with looking at every hold."""
    holds, model = Holds(), {}
    for at, (key, wanted, commit) in enumerate(changes):
        if wanted is None:
            holds.delete(key)
            model.pop(key, None)
        else:
            model[key] = hold(at, *wanted)
            holds.put(key, model[key])
        if commit:
            holds.commit(holds.changes())
    words = {value.waits_on for value in model.values()}
    for found in (holds, restored(holds)):
        assert words == set(found.waited_on())
        for word in words:
            order = sorted((v.engagement_id, v.sequence, k) for k, v in model.items() if v.waits_on == word)
            assert [key for _, _, key in order] == found.waiting_on(word)
