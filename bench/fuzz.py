"""Give everything that reads from outside what nobody should send, and see that only typed errors come out.

    python bench/fuzz.py --inputs 1000000 --seed 7 --json

Read are: every wire shape, agents with a firm's week behind them, reference data, headers, changelog records, record
batches, time sheets with their mappings, BILLTIDE_… variables, filters and corrections of dead letters. Each input
follows from the seed, the target's name and its number, so that one that fails is repeated alone by the command
printed with it. It fails when anything but the reader's documented error comes out, when that error lacks a sentence,
or after 2 s of processor time.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import json  # noqa: E402
import multiprocessing  # noqa: E402
import secrets  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

from fuzzing.targets import TARGETS, Failure, counts, tried  # noqa: E402

INPUTS_AT_ONCE = 2_000


def _part(part: tuple[str, int, int, int]) -> tuple[str, int, list[Failure]]:
    target, _, _, count = part
    return target, count, tried(*part)


def run(seed: int, wanted: dict[str, int], processes: int) -> tuple[dict[str, int], list[Failure]]:
    """Try so many inputs of each target on some processors; returns how many were, and what failed, once a place."""
    parts = [
        (target, seed, first, min(INPUTS_AT_ONCE, count - first))
        for target, count in wanted.items()
        for first in range(0, count, INPUTS_AT_ONCE)
    ]
    done = dict.fromkeys(wanted, 0)
    failures: dict[tuple[str, str], Failure] = {}
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for target, count, found in pool.imap_unordered(_part, parts):
            done[target] += count
            for one in found:
                failures.setdefault((one.target, one.where), one)
    return done, list(failures.values())


def again(seed: int, failure: Failure) -> str:
    """The command that repeats an input alone."""
    return f"python bench/fuzz.py --seed {seed} --target {failure.target} --input {failure.number}"


def tell(seed: int, failures: list[Failure]) -> None:
    """Print what failed and how to see it again."""
    for one in failures:
        sys.stderr.write(f"{one.target} input {one.number} failed; repeat it with: {again(seed, one)}\n")
        sys.stderr.write(f"  {one.problem}\n")


def figures(seed: int, done: dict[str, int], failures: list[Failure]) -> dict[str, Any]:
    """What --json prints."""
    told = [one._asdict() | {"command": again(seed, one)} for one in failures]
    return {"seed": seed, "inputs": sum(done.values()), "targets": done, "failures": told}


def main() -> None:
    """Parse the arguments, try, print; exit 1 when an input failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--inputs", type=int, default=100_000, help="how many inputs, over all targets (default 100000)"
    )
    parser.add_argument("--seed", type=int, help="default: any; it is printed")
    parser.add_argument("--target", choices=TARGETS, help="try this one alone")
    parser.add_argument("--input", type=int, help="with --target: try this one input alone, in this process")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count(), help="default: every processor")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    began = time.monotonic()
    if arguments.input is not None:
        if arguments.target is None:
            parser.error("--input needs --target")
        done, failures = {arguments.target: 1}, tried(arguments.target, seed, arguments.input, 1)
    else:
        wanted = counts(arguments.inputs) if arguments.target is None else {arguments.target: arguments.inputs}
        done, failures = run(seed, wanted, arguments.processes)
    tell(seed, failures)
    if arguments.json:
        print(json.dumps(figures(seed, done, failures)))
    else:
        print(f"seed {seed}: {sum(done.values())} inputs in {time.monotonic() - began:.0f} s, {len(failures)} failures")
        print(", ".join(f"{target}: {count}" for target, count in done.items()))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
