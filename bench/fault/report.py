"""What runs came to, for people and as one JSON object."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from . import recovery
from .catalogue import EVERY
from .sabotage import SABOTAGES
from .world import SESSION_MILLISECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .run import Outcome

SHOWN_MAX = 12


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Sums over all runs, and by scenario, in the order in which they were first played.

    faults: how often each was done; recovery: seconds from SIGKILL to the survivors' first commit, where it was timed.
    """
    by_name: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_name.setdefault(outcome.scenario, []).append(outcome)
    scenarios = [
        {
            "name": name,
            "runs": len(runs),
            **_sums(runs),
            "recovery_s_max": round(max(run.recovery for run in runs), 1),
        }
        for name, runs in by_name.items()
    ]
    faults = sum((outcome.done for outcome in outcomes), Counter())
    told = {**_sums(outcomes), "scenarios": scenarios, "faults": dict(sorted(faults.items()))}
    recoveries = [seconds for outcome in outcomes for seconds in outcome.recoveries]
    if recoveries:
        told["recovery"] = recovery.told(recoveries, SESSION_MILLISECONDS / 1000)
    return told


def _sums(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return {what: sum(getattr(one.damage, what) for one in outcomes) for what in ("lost", "duplicated", "wrong")}


def tell(outcome: Outcome, sabotage: str, *, loud: bool) -> None:
    """Print one run: a line when all is well, its course and how to repeat it when not."""
    damage = outcome.damage
    line = (
        f"{outcome.scenario}: seed {outcome.seed}, lost {damage.lost}, duplicated {damage.duplicated}, "
        f"wrong {damage.wrong}, recovered in {outcome.recovery:.1f} s, {outcome.seconds:.0f} s in all; "
        + ", ".join(f"{count} {what}" for what, count in outcome.done.items())
    )
    if loud or damage:
        sys.stderr.write(line + "\n")
    if loud:
        for happened in outcome.told:
            sys.stderr.write(f"  {happened}\n")
    if not damage:
        return
    again = f" --sabotage {sabotage}" if sabotage else f" {outcome.again}"
    sys.stderr.write(f"  repeat it with: python bench/faults.py{again} --seed {outcome.seed}\n")
    for problem in damage.problems[:SHOWN_MAX]:
        sys.stderr.write(f"  {problem}\n")
    if len(damage.problems) > SHOWN_MAX:
        sys.stderr.write(f"  ... and {len(damage.problems) - SHOWN_MAX} more\n")


def table() -> str:
    """Every scenario and every sabotage with what it is about."""
    lines = [f"{scenario.name:28}{scenario.about}" for scenario in EVERY]
    lines += [
        f"--sabotage {name:28}{sabotage.about}; shown by {sabotage.scenario}" for name, sabotage in SABOTAGES.items()
    ]
    return "\n".join(lines)
