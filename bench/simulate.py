"""Play the histories of many seeds on the real tasks, agents, rules and tables, and check what they leave.

    python bench/simulate.py --seeds 2000 --json

Each seed makes a small firm's history and a course of crashes, lost answers, rebalances and owners taken for dead, on
a log in memory. What is left is checked against a reckoning of the input alone. `events` counts every record handed to
a task, each time it is handed over, and every reference record each time a worker reads it. A seed that fails is
printed with the command that repeats it alone.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import json  # noqa: E402
import multiprocessing  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
from collections import Counter  # noqa: E402
from functools import partial  # noqa: E402
from typing import NamedTuple  # noqa: E402

from simulation import check, firm  # noqa: E402
from simulation.world import World, prepare  # noqa: E402

SEEDS_AT_ONCE = 5
SHOWN_MAX = 10


class Result(NamedTuple):
    """What became of one seed. seen: how often each thing happened; problems: sentences, none when all is well."""

    seed: int
    seen: Counter[str]
    problems: list[str]


def simulate(seed: int, *, late_changes: bool = False) -> Result:
    """Play one seed and check it."""
    prepare()
    world = World(seed, firm.make(seed, late_changes=late_changes))
    try:
        world.play()
        problems = check.problems(world)
    except Exception:  # noqa: BLE001 - whatever it is, it is the seed's failure
        problems = [traceback.format_exc()]
    return Result(seed, world.counts.seen, problems)


def run(seeds: range, processes: int, *, late_changes: bool = False) -> list[Result]:
    """Play many seeds on some processors."""
    play = partial(simulate, late_changes=late_changes)
    if processes == 1:
        return [play(seed) for seed in seeds]
    with multiprocessing.Pool(processes) as pool:
        return list(pool.imap_unordered(play, seeds, SEEDS_AT_ONCE))


def tell(result: Result, *, late_changes: bool) -> None:
    """Print what is wrong with a seed, and how to see it again."""
    again = f"python bench/simulate.py --seed {result.seed}" + (" --late-changes" if late_changes else "")
    sys.stderr.write(f"seed {result.seed} failed; repeat it with: {again}\n")
    for problem in result.problems[:SHOWN_MAX]:
        sys.stderr.write(f"  {problem}\n")
    if len(result.problems) > SHOWN_MAX:
        sys.stderr.write(f"  ... and {len(result.problems) - SHOWN_MAX} more\n")


def main() -> None:
    """Parse the arguments, play, print; exit 1 when a seed failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds to play (default 2000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--seed", type=int, help="play this one alone")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count(), help="default: every processor")
    parser.add_argument(
        "--late-changes", action="store_true", help="change rates of priced work in every seed, not half of them"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    if arguments.seed is not None:
        seeds = range(arguments.seed, arguments.seed + 1)
    began, seen, failures = time.monotonic(), Counter[str](), 0
    processes = min(arguments.processes, len(seeds))
    for result in run(seeds, processes, late_changes=arguments.late_changes):
        seen.update(result.seen)
        if result.problems:
            failures += 1
            tell(result, late_changes=arguments.late_changes)
    figures = {"seeds": len(seeds), "events": seen.pop("delivered"), "failures": failures}
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(", ".join(f"{value} {name}" for name, value in figures.items()), end="")
        print(f" in {time.monotonic() - began:.0f} s")
        print(", ".join(f"{what}: {count}" for what, count in sorted(seen.items())))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
