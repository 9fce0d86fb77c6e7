"""A currency that gains or loses moves every rate of the pair, and the margin with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.app.refusal import RefusedError
from billtide.app.whatif.shifts import Shift, shift_of

from ...builders import engagement, fx_rate
from .firm import FIRM, PARTITIONS, lines, tasks, tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from billtide.app.whatif.trial import Trial


def moves(trial: Trial) -> dict[str, tuple[str | None, ...]]:
    """Billed, cost and margin by engagement."""
    measures = ("billed", "cost", "margin")
    return {one.name: tuple(one.text(one.change(measure)) for measure in measures) for one in trial.moved}


def test_a_dearer_dollar_costs_margin() -> None:
    """At + 10 % R2's 480 dollars cost 43.20 more, 200 of travel 18.00 more, which the customer pays; E4 has no FX."""
    assert moves(tried(shifts=("USD/EUR=10",))) == {
        "E1": ("18.00", "61.20", "-43.20"),
        "E3": ("0.00", "43.20", "18.52"),
    }


@settings(max_examples=25)
@given(percent=st.integers(-99, 999), rate=st.integers(1, 5 * 10**6))
def test_a_shift_is_the_rates_sent_anew(percent: int, rate: int) -> None:
    """It moves what a new revision of each rate moves, also of one given with --fx before it."""
    text, shifted = f"{rate / 10**6:.6f}", f"{rate * (100 + percent) / 10**8:.8f}"
    given_first = ("fx-rates", fx_rate(revision=2, rate=text))
    sent = ("fx-rates", fx_rate(revision=2, rate=shifted))

    assert moves(tried(given_first, shifts=(f"USD/EUR={percent}",))) == moves(tried(sent))


def test_every_date_is_shifted_and_other_pairs_are_not() -> None:
    """Rates of two months, a kind of their own, and of another pair: each keeps its dates, the pair's are 2.5 % lower."""
    (task, *_) = tasks(
        ("fx-rates", fx_rate(valid_from="2026-12-01", valid_to="2026-12-31", rate="0.8")),
        ("fx-rates", fx_rate(base="GBP")),
        ("fx-rates", fx_rate(rate_type="average", rate="0.7")),
    )
    assert shift_of("USD/EUR=-2.5").apply(task.reference) == {"fx:USD/EUR"}
    found = {
        pair: [(str(start), str(end), rate) for start, end, rate, *_ in task.reference.fx_ranges(*pair)]
        for pair in (("USD", "EUR"), ("GBP", "EUR"))
    }

    assert found == {
        ("USD", "EUR"): [
            ("2026-11-01", "2026-11-30", 8_775_000_000),
            ("2026-12-01", "2026-12-31", 7_800_000_000),
            ("2026-11-01", "2026-11-30", 6_825_000_000),
        ],
        ("GBP", "EUR"): [("2026-11-01", "2026-11-30", 9_000_000_000)],
    }


def test_a_shift_concerns_every_task() -> None:
    """Whatever terms are given besides."""
    terms = ("engagements", engagement(revision=2))
    assert tried(terms, shifts=("USD/EUR=1",)).partitions == list(range(PARTITIONS))


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("USD/EUR=5", Shift("USD", "EUR", 50_000)),
        ("USD/EUR=+2.5", Shift("USD", "EUR", 25_000)),
        ("USD/EUR=-0.0001", Shift("USD", "EUR", -1)),
    ],
)
def test_a_shift_is_read(text: str, shift: Shift) -> None:
    """Percent with or without a sign, to four places."""
    assert shift_of(text) == shift


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("USD/EUR", "is no shift; write base, quote and percent"),
        ("usd/EUR=5", "is no shift; write base, quote and percent"),
        ("USD/EUR=5%", "'5%' is not a decimal number"),
        ("USD/EUR=0.00001", "more than 4 decimal places"),
        ("USD/EUR=-100", "USD/EUR from 2026-11-01: '0' is not above zero"),
        ("EUR/JPY=5", "no exchange rate from EUR to JPY is known"),
    ],
)
def test_what_is_no_shift_is_refused(text: str, said: str) -> None:
    """Form, places, a rate of nothing, and a pair nobody knows: the reason and what to do."""
    with pytest.raises(RefusedError) as refused:
        tried(shifts=(text,))
    assert said in refused.value.message


def test_the_command_takes_a_shift_alone(run: Callable[..., Result], tmp_path: Path) -> None:
    """No file is needed; the sum shows what the margin loses."""
    firm = lines(tmp_path / "firm.jsonl", *FIRM)
    told = json.loads(run("what-if", "--from", firm, "--fx-shift", "USD/EUR=10", "--json").stdout)

    assert [one["margin"]["change"] for one in told["totals"]] == ["-24.68"]
