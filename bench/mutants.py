"""Break the rules on purpose, one fault at a time, and see which test and which simulated seed notices.

    python bench/mutants.py

Each fault of bench/mutations.py is put into a copy of the tree, never into the tree itself. The fast suites and a
short simulation on the copy must notice it; the copy without any fault must pass both. A fault that nobody notices
survives: a test is missing. A text that no longer stands exactly once in its file is an error, so that the list stays
true.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import json  # noqa: E402
import multiprocessing  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import NamedTuple  # noqa: E402

from mutations import MUTATIONS, Mutation  # noqa: E402

COPIED = ("app", "agents", "tables", "codecs", "tests", "bench")
IMPORTED = ("app", "agents", "tables", "codecs")
SUITES = ("tests/rules", "tests/agents", "tests/tables")
SEEDS = 40
SECONDS_MAX = 1_800
TESTS_FAILED = 1
CONTROL = Mutation("no fault", "", "", "")
NO_SHRINKING = """
from hypothesis import Phase, settings

settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), database=None)
settings.load_profile("mutants")
"""
"""A plugin for pytest: which example fails is enough, the smallest takes minutes."""


class Outcome(NamedTuple):
    """Who noticed a fault: the first test and the first seed, empty for nobody."""

    name: str
    test: str
    seed: str


class MutationError(RuntimeError):
    """The list of faults does not fit the tree, or a copy cannot be run at all."""


def check(mutation: Mutation) -> None:
    """Refuse a fault whose text is not there exactly once."""
    count = (environment.ROOT / mutation.file).read_text().count(mutation.old)
    if count != 1:
        raise MutationError(f"{mutation.name}: its text stands {count} times in {mutation.file}; mend the list")


def copy(mutation: Mutation, where: Path) -> None:
    """Copy the tree and put the fault in."""
    for folder in COPIED:
        shutil.copytree(environment.ROOT / folder, where / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(environment.ROOT / "pyproject.toml", where)
    (where / "import" / "billtide").mkdir(parents=True)
    for folder in IMPORTED:
        (where / "import" / "billtide" / folder).symlink_to(where / folder)
    (where / "import" / "no_shrinking.py").write_text(NO_SHRINKING)
    if mutation != CONTROL:
        file = where / mutation.file
        file.write_text(file.read_text().replace(mutation.old, mutation.new))


def run(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the copy, which is found before what is installed."""
    variables = {**os.environ, "PYTHONPATH": str(where / "import"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=where,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )


def failing_test(where: Path) -> str:
    """The first test of the fast suites that fails; empty when all pass."""
    done = run(where, "-P", "-m", "pytest", "-x", "-q", "-p", "no_shrinking", "-p", "no:cacheprovider", *SUITES)
    if done.returncode not in {0, TESTS_FAILED}:
        raise MutationError(f"the tests cannot be run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    found = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    if done.returncode and found is None:
        raise MutationError(f"no failing test is named: {done.stdout[-2000:]}")
    return found[1] if found else ""


def failing_seed(where: Path, seeds: int) -> str:
    """A seed of a short simulation that fails, and the first of its problems; empty when none does."""
    done = run(where, "bench/simulate.py", "--seeds", str(seeds), "--processes", "1", "--json")
    found = re.search(r"^seed (\d+) failed[^\n]*\n((?:  [^\n]*\n)+)", done.stderr, re.MULTILINE)
    if bool(done.returncode) != (found is not None):
        raise MutationError(f"the simulation cannot be run: {done.stderr[-2000:]}")
    if found is None:
        return ""
    told = [line.strip() for line in found[2].splitlines() if line.strip()]
    problem = told[-1] if told[0].startswith("Traceback") else told[0]
    return f"seed {found[1]}: {problem}"


def try_out(mutation: Mutation, seeds: int) -> Outcome:
    """See who notices one fault."""
    with tempfile.TemporaryDirectory(prefix="billtide-mutant-") as folder:
        where = Path(folder)
        copy(mutation, where)
        return Outcome(mutation.name, failing_test(where), failing_seed(where, seeds))


def main() -> None:
    """Parse the arguments, try every fault, print; exit 1 when one survives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="try the faults whose name holds this text")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"seeds of each simulation (default {SEEDS})")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count(), help="default: every processor")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    for mutation in MUTATIONS:
        check(mutation)
    chosen = [mutation for mutation in MUTATIONS if (arguments.only or "") in mutation.name]
    with multiprocessing.Pool(arguments.processes) as pool:
        outcomes = []
        for outcome in pool.imap(partial(try_out, seeds=arguments.seeds), [CONTROL, *chosen]):
            if not arguments.json:
                print(f"{outcome.name}\n    {outcome.test or '-'}\n    {outcome.seed or '-'}", flush=True)
            outcomes.append(outcome)
    control, *tried = outcomes
    if control.test or control.seed:
        sys.exit(f"the tree without any fault fails: {control.test} {control.seed}")
    survived = [outcome.name for outcome in tried if not (outcome.test or outcome.seed)]
    figures = {"mutants": len(tried), "by_tests": sum(bool(o.test) for o in tried)}
    figures |= {"by_seeds": sum(bool(o.seed) for o in tried), "survived": survived}
    print(json.dumps(figures))
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()
