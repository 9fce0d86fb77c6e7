"""Faults on real workers and a real broker, and what they damage: nothing may be lost, twice or wrong.

    python bench/faults.py --suite smoke --json
    python bench/faults.py --scenario zombie --runs 3 --seed 7
    python bench/faults.py --sabotage skip_fencing
    python bench/faults.py --engine faust --runs 4

Each run has topics, workers and a third of the sample firm's week of its own. The week is sent while the faults go on;
after them all must be applied within 60 s, and `fault/oracle.py` checks money, events, records, state and audit. A run
with damage is printed with the command that repeats it. A sabotage turns a guarantee off: then damage has to come.
Other engines play three of the scenarios on a smaller task, which `fault/peers/` owns.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import json  # noqa: E402
import logging  # noqa: E402
import random  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

from fault.catalogue import EVERY, SUITES, Scenario, named, soak  # noqa: E402
from fault.ground import Ground, prepare  # noqa: E402
from fault.peers.engines import ENGINES, OWN, for_peer  # noqa: E402
from fault.peers.scenarios import PLAYED  # noqa: E402
from fault.report import figures, table, tell  # noqa: E402
from fault.run import Engine, Outcome, play  # noqa: E402
from fault.sabotage import SABOTAGES  # noqa: E402

from billtide.app.refusal import RefusedError  # noqa: E402

SEED = 7
SOAK_MINUTES = 30.0
SABOTAGED_RUNS_MAX = 4
"""Seeds with which a sabotage may fail to do damage: whether the faults hit records that matter is chance."""
INTERRUPTED = 130


def run(
    plays: list[tuple[Scenario, int]], directory: Path, engine: Engine, sabotage: str, standbys: int, *, loud: bool
) -> list[Outcome]:
    """Play scenarios, each with its seed, one after the other; those on brokers of one kind together."""
    outcomes = []
    ground: Ground | None = None
    try:
        for scenario, seed in sorted(plays, key=lambda one: one[0].brokers):
            if ground is None or ground.brokers != scenario.brokers:
                if ground is not None:
                    ground.discard()
                    ground = None
                ground = prepare(directory, scenario.brokers)
            outcome = play(scenario, seed, ground, directory, engine, sabotage, standbys)
            outcomes.append(outcome)
            tell(outcome, sabotage, loud=loud)
            if sabotage and does_its_damage(sabotage, outcome):
                break
    finally:
        if ground is not None:
            ground.discard()
    return outcomes


def does_its_damage(sabotage: str, outcome: Outcome) -> bool:
    """Whether there is damage of the kind that the sabotage does; a run that goes wrong otherwise shows nothing."""
    return bool(getattr(outcome.damage, SABOTAGES[sabotage].kind))


def chosen(arguments: argparse.Namespace) -> list[tuple[Scenario, int]]:
    """Which scenarios to play, each with its seed. Raises RefusedError for what a peer cannot play."""
    if arguments.mix:
        return mixed(arguments.seed, arguments.mix)
    if arguments.engine != OWN:
        wanted = [for_peer(arguments.engine, name) for name in arguments.scenario or PLAYED]
        return repeated(wanted, arguments)
    if arguments.sabotage:
        wanted = [named(SABOTAGES[arguments.sabotage].scenario)]
    elif arguments.scenario:
        wanted = [named(name) for name in arguments.scenario]
    else:
        wanted = [named(name) for name in SUITES[arguments.suite]]
    if arguments.soak_minutes or arguments.suite == "full":
        alone = not (arguments.scenario or arguments.suite == "full")
        wanted = [*([] if alone else wanted), soak(arguments.soak_minutes or SOAK_MINUTES)]
    return repeated(wanted, arguments)


def repeated(wanted: list[Scenario], arguments: argparse.Namespace) -> list[tuple[Scenario, int]]:
    """Each scenario as often as asked, each time with the next seed; a sabotaged one until there is damage."""
    runs = max(arguments.runs, SABOTAGED_RUNS_MAX if arguments.sabotage else 1)
    return [(scenario, arguments.seed + at) for scenario in wanted for at in range(runs)]


def mixed(seed: int, count: int) -> list[tuple[Scenario, int]]:
    """Scenarios drawn by their weights, the same for the same seed; each has a seed of its own."""
    drawn = random.Random(seed).choices(EVERY, [scenario.weight for scenario in EVERY], k=count)
    return [(scenario, seed + at) for at, scenario in enumerate(drawn)]


def parsed() -> argparse.Namespace:
    """Read the arguments."""
    names = [scenario.name for scenario in EVERY]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    engine_help = f"whose workers suffer (default {OWN}); the others play {', '.join(PLAYED)}"
    parser.add_argument("--engine", choices=sorted(ENGINES), default=OWN, help=engine_help)
    parser.add_argument("--suite", choices=sorted(SUITES), default="smoke", help="a list of scenarios (default smoke)")
    parser.add_argument("--scenario", action="append", choices=names, metavar="NAME", help="only this one; repeatable")
    parser.add_argument("--runs", type=int, default=1, help="how often each is played, each time with the next seed")
    parser.add_argument("--mix", type=int, default=0, metavar="N", help="play N scenarios, drawn by their weights")
    soak_help = (
        f"faults of all kinds on one load for so long; alone, or after the others ({SOAK_MINUTES:.0f} in --suite full)"
    )
    parser.add_argument("--soak-minutes", type=float, default=0.0, metavar="N", help=soak_help)
    parser.add_argument("--seed", type=int, default=SEED, help=f"the first seed (default {SEED})")
    parser.add_argument("--standbys", type=int, default=0, metavar="N", help="workers keep warm copies, as of N others")
    parser.add_argument("--sabotage", choices=sorted(SABOTAGES), help="turn a guarantee off; its damage must come")
    parser.add_argument("--list", action="store_true", help="list the scenarios and sabotages")
    parser.add_argument("--keep", type=Path, help="keep the logs of workers and broker in this directory")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    own = arguments.mix or arguments.soak_minutes or arguments.sabotage or arguments.standbys
    if arguments.engine != OWN and own:
        parser.error(f"--mix, --soak-minutes, --sabotage and --standbys are for --engine {OWN}")
    return arguments


def main() -> None:
    """Play, print; exit 1 when there was damage, or with a sabotage when there was none."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))  # so that broker and workers are stopped
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # lost connections are the point
    arguments = parsed()
    if arguments.list:
        print(table())
        return
    directory = arguments.keep or Path(tempfile.mkdtemp(prefix="billtide-faults-"))
    try:
        plays, engine, loud = chosen(arguments), ENGINES[arguments.engine], not arguments.json
        for scenario, _ in plays:  # before the first is played: a long suite would be for nothing
            scenario.needs()
        outcomes = run(plays, directory.absolute(), engine, arguments.sabotage or "", arguments.standbys, loud=loud)
    except RefusedError as error:
        sys.exit(str(error))
    finally:
        if arguments.keep is None:
            shutil.rmtree(directory, ignore_errors=True)
    for outcome in outcomes if loud and len(outcomes) > 1 else ():
        if outcome.damage:  # once more, for who sees only the end of what a long suite prints
            tell(outcome, arguments.sabotage or "", loud=False)
    print(json.dumps(figures(outcomes)))
    if arguments.sabotage:
        sys.exit(not any(does_its_damage(arguments.sabotage, outcome) for outcome in outcomes))
    sys.exit(any(outcome.damage for outcome in outcomes))


if __name__ == "__main__":
    main()
