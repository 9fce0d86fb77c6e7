"""The simulator: histories with crashes on a log in memory come to what their input says, and a fault is noticed."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from simulation import firm

from billtide.codecs.engagement import Engagement, decode
from billtide.codecs.errors import UndecodableError

SIMULATE = Path(__file__).resolve().parents[2] / "bench" / "simulate.py"

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = 40
SEEDS_LONG = 10_000
FAULTS = ("crash before the commit", "crash after the commit", "crash during restore", "commit late", "answer lost")


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run([sys.executable, SIMULATE, *arguments], capture_output=True, text=True, check=False)


def test_forty_histories_come_to_what_their_input_says(seed: int) -> None:
    """No seed fails, whatever crashes, and each hands hundreds of records to its tasks (M1-M9)."""
    done = simulate("--seeds", str(SEEDS), "--first", str(seed % 1_000_000), "--json")

    assert done.stderr == ""
    figures = json.loads(done.stdout)
    assert (figures["seeds"], figures["failures"]) == (SEEDS, 0)
    assert figures["events"] > SEEDS * 300
    assert done.returncode == 0


def test_a_seed_is_the_same_history_every_time() -> None:
    """What is printed of a seed can be repeated: the same faults, the same number of records delivered."""
    first, second = (simulate("--seed", "11").stdout.splitlines() for _ in range(2))

    assert first[0].split(" in ")[0] == second[0].split(" in ")[0]
    assert first[1] == second[1]


def test_what_can_go_wrong_does() -> None:
    """A few dozen seeds meet owners taken for dead, that are fenced, and faults at every step of a transaction."""
    shown = simulate("--seeds", str(SEEDS)).stdout

    for what in (*FAULTS, "zombie", "failed: fenced", "refetched"):
        assert f"{what}: " in shown


def agreed_in(seed: int) -> Iterator[Engagement]:
    """Terms of a seed's history that can be read."""
    for sent in firm.make(seed).by_stream()["engagements"]:
        with contextlib.suppress(UndecodableError):
            yield decode(sent.value)


def test_what_is_agreed_about_sums_is_met() -> None:
    """A few dozen histories have prepaid balances of every kind, tiers of every kind, and lines rounded as a sum."""
    terms = [each for seed in range(SEEDS) for each in agreed_in(seed)]
    drawn = [each.fee.drawdown for each in terms if each.fee is not None and each.fee.drawdown is not None]
    tiers = [line.volume_tiers for each in terms for line in each.rates if line.volume_tiers is not None]

    assert {each.overage for each in drawn} == {"bill", "hold", "absorb"}
    assert {each.unused for each in drawn} == {"roll_over", "expire", "refund"}
    assert {(each.measure, each.applies) for each in tiers} == set(
        product(("hours", "amount"), ("marginal", "whole_volume"))
    )
    assert {each.over for each in tiers} == {"engagement", "month", "quarter", "contract_year"}
    assert sum(each.policies.rounding_place == "invoice" for each in terms) >= SEEDS // 4


def test_a_failing_seed_says_how_to_repeat_it() -> None:
    """A problem of a seed is told with the command that repeats it alone, and the command exits with 1."""
    spoilt = (
        f"import sys; sys.path.insert(0, {str(SIMULATE.parent)!r}); sys.argv = ['', '--seed', '3', '--json']\n"
        "import simulate; simulate.check.problems = lambda world: ['a euro is missing']; simulate.main()"
    )
    done = subprocess.run([sys.executable, "-c", spoilt], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert json.loads(done.stdout)["failures"] == 1
    assert done.stderr == ("seed 3 failed; repeat it with: python bench/simulate.py --seed 3\n  a euro is missing\n")


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_ten_thousand_histories_come_to_what_their_input_says() -> None:
    """As with forty, for hours of histories."""
    done = simulate("--seeds", str(SEEDS_LONG), "--json")

    assert done.stderr == ""
    assert json.loads(done.stdout)["failures"] == 0
