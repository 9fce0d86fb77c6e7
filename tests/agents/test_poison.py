"""When bad records are too many: in a row, and among the last so many; judged record by record."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.poison import Poison, PoisonedInputError, PoisonLimits, run_of

from ..builders import Record

LIMITS = PoisonLimits(run=3, share=50, window=10)


def records(pattern: str, first: int = 0) -> list[Record]:
    """Records of a pattern such as `..x.`, where x is bad; offsets have holes, as markers leave them."""
    return [Record("s", 0, (first + at) * 2, 0, b"k", mark.encode(), ()) for at, mark in enumerate(pattern)]


def judged(pattern: str, limits: PoisonLimits, cuts: tuple[int, ...] = ()) -> tuple[int, bytes]:
    """How many records are taken before a limit is exceeded, cut into slabs at `cuts`; and what the position keeps."""
    recent, edges = b"", [0, *cuts, len(pattern)]
    for begin, end in pairwise(edges):
        slab = records(pattern[begin:end], begin)
        poison = Poison(limits, recent, slab)
        try:
            for record in slab:
                if record.value == b"x":
                    poison.found(record)
        except PoisonedInputError as error:
            return begin + error.at, poison.recent(error.at)
        recent = poison.recent(len(slab))
    return len(pattern), recent


@pytest.mark.parametrize(
    ("pattern", "limits", "taken"),
    [
        pytest.param("xxx", LIMITS, 3, id="as many in a row as allowed"),
        pytest.param("xxxx", LIMITS, 3, id="one more in a row"),
        pytest.param("xxx.xx", LIMITS, 6, id="a good one ends the run, the share holds"),
        pytest.param("x.x.x.x.x.x", LIMITS, 11, id="half of the window"),
        pytest.param("xx.xx.xx", LIMITS, 7, id="more than half of the window, though it is not full"),
        pytest.param("xxx.xx" + 10 * "." + "xxx", LIMITS, 19, id="what left the window does not count"),
        pytest.param("x", PoisonLimits(1, 1, 10), 1, id="one bad record stops nothing"),
        pytest.param("x.........x", PoisonLimits(1, 1, 10), 11, id="one in each window stops nothing"),
        pytest.param("x........x", PoisonLimits(1, 1, 10), 9, id="two in a window do, when only one is allowed"),
        pytest.param(50 * "x", PoisonLimits(10, 100, 10), 50, id="no limit"),
    ],
)
def test_where_an_input_stops(pattern: str, limits: PoisonLimits, taken: int) -> None:
    """The first record that would exceed a limit is not taken, nor is anything behind it."""
    assert judged(pattern, limits)[0] == taken


def test_the_error_names_the_limit() -> None:
    """Whoever reads it knows which limit it was, and that the record behind is the reason."""
    (record,) = records("x")
    poison = Poison(LIMITS, b"\x07", [record])
    with pytest.raises(PoisonedInputError, match="more than 3 bad records in a row") as raised:
        poison.found(record)
    assert raised.value.at == 0
    assert LIMITS.reached(b"\x07")
    assert not LIMITS.reached(b"\x03")
    assert "50 %" in LIMITS.reached(bytes([0b10, 0b11011010]))


def test_a_position_keeps_nothing_while_all_is_good() -> None:
    """Good records cost the state no byte; bad ones are forgotten behind a window of good ones."""
    assert judged("....", LIMITS) == (4, b"")
    assert judged("x" + 9 * ".", LIMITS) == (10, b"\x02\x00")
    assert judged("x" + 10 * ".", LIMITS) == (11, b"")


@given(
    pattern=st.text("x..", max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    run=st.integers(1, 8),
    share=st.integers(1, 100),
    window=st.integers(8, 20),
)
def test_how_a_fetch_cuts_the_records_makes_no_difference(
    pattern: str, cuts: list[int], run: int, share: int, window: int
) -> None:
    """Cut anywhere, the same record is the first not taken, and the same is kept; it is the one plain counting finds."""
    limits = PoisonLimits(run, share, window)
    edges = tuple(sorted(min(cut, len(pattern)) for cut in cuts))

    assert judged(pattern, limits, edges) == judged(pattern, limits)
    assert judged(pattern, limits)[0] == counted(pattern, limits)


def counted(pattern: str, limits: PoisonLimits) -> int:
    """The same by counting letters."""
    for end in range(1, len(pattern) + 1):
        seen = pattern[:end]
        run = len(seen) - len(seen.rstrip("x"))
        bad = seen[-limits.window :].count("x")
        if seen.endswith("x") and (run > limits.run or bad > max(1, limits.window * limits.share // 100)):
            return end - 1
    return len(pattern)


@pytest.mark.parametrize(("recent", "run"), [(0b0, 0), (0b1, 1), (0b10, 0), (0b1011, 2), (0b111, 3)])
def test_a_run_ends_at_the_last_good_record(recent: int, run: int) -> None:
    """Only bad records up to the last one count."""
    assert run_of(recent) == run
