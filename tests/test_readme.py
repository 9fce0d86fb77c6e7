"""The README is true: every command in it is run here, on a real broker, and does what its line says."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billtide.app.cli.local import SEED
from billtide.app.demo.firm import sample_week

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billtide.app.broker import Broker

    Run = Callable[[str], str]

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).resolve().parents[1]
COMMAND_SECONDS = 280
WORKER_SECONDS = 60
BLOCK = re.compile(r"```\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^(?:make|billtide|python) [^#\n]*", re.MULTILINE)
INLINE = re.compile(r"`(make(?: [a-z-]+)?)`")

SHEET = "date,clock_in,clock_out,code,notes,tags\n2026-03-02,09:00:00,11:30:00,ACME,books,\n"
CLIENTS = "code,term,type,rate\nACME,month,hourly,93.35\n"
ENTRY = {
    "source": "psa", "id": "readme-1", "revision": 1, "engagement_id": "E-0052", "resource_id": "nobody",
    "work_date": "2026-11-20", "quantity": "1", "status": "submitted",
}  # fmt: skip
CARD = {
    "id": "standard-eur", "version": 99, "scope": "default", "currency": "EUR", "effective_from": "2025-11-01",
    "lines": [{"rate": "250", "role": "consultant"}],
}  # fmt: skip
EVENTS = 4_000
"""What the benches measure here: enough to run all of them."""


def commands() -> list[str]:
    """Every command of the README, as it stands there."""
    text = (ROOT / "README.md").read_text()
    found = [line.strip() for block in BLOCK.findall(text) for line in COMMAND.findall(block)]
    return list(dict.fromkeys([*found, *INLINE.findall(text)]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands find their files and leave what they write."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "sheet.csv").write_text(SHEET)
    (folder / "clients.csv").write_text(CLIENTS)
    (folder / "cards.json").write_text(json.dumps(CARD))
    (folder / "events.jsonl").write_text(json.dumps({"stream": "time-entries", "value": ENTRY}) + "\n")
    return folder


@pytest.fixture(scope="module")
def environment(broker: Broker, folder: Path) -> dict[str, str]:
    """A user's: the broker, topics and files of their own, the virtual environment's commands."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BILLTIDE_")}
    return kept | {
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "BILLTIDE_KAFKA_BOOTSTRAP": broker.bootstrap,
        "BILLTIDE_TOPIC_PREFIX": "readme.",
        "BILLTIDE_APP_ID": "readme",
        "BILLTIDE_DATA_DIR": str(folder / "data"),
        "BILLTIDE_TELEMETRY_PORT": "0",
    }


@pytest.fixture(scope="module")
def run(environment: dict[str, str]) -> Run:
    """Runs a command as a user would, from the checkout; it must succeed."""

    def command(line: str) -> str:
        ended = subprocess.run(
            shlex.split(line),
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{line}: exit {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    return command


@pytest.fixture(scope="module")
def up(run: Run) -> Iterator[str]:
    """The sample firm's week, with workers that stay."""
    yield run("make up")
    assert run("make down")


def ends_well(output: str) -> None:
    """The line the README shows, whatever its figures."""
    assert re.search(r"^demo: ok entries=\d+ billed=\S+ lost=0 duplicated=0 difference=0\.00$", output, re.MULTILINE)


def test_the_demo_ends_as_shown(run: Run) -> None:
    """`make demo` prints its last line; run again by `make up` it changes no money."""
    ends_well(run("make demo"))


def test_up_stays_until_down(run: Run, up: str) -> None:
    """The same check passes, workers and topics stay, and every command of the page works beside them."""
    ends_well(up)
    assert "nothing changed" in up
    for asked in ("create", "show", "check"):
        run(f"billtide topics {asked}")
    assert json.loads(run("billtide engagement E-0052 --json"))["engagement_id"] == "E-0052"
    assert "E-0052" in run("billtide engagement E-0052")
    entry = json.loads(sample_week(SEED).load["time-entries"][0].value)
    assert "standing:" in run(f"billtide explain {entry['source']}:time:{entry['id']}")
    assert "invalid_field" in run("billtide dead-letters list")
    assert "waits for" in run("billtide holds list")
    assert "the chain is whole" in run("billtide verify")
    assert "0 fail, " in run("billtide doctor")
    assert "came out again" in run("billtide replay --from topics")


def test_a_change_is_tried_beside_the_workers(run: Run, folder: Path, up: str) -> None:
    """`billtide what-if` tells what another card would move; afterwards no engagement has other figures."""
    ends_well(up)
    before = run("billtide engagement E-0052 --json")
    told = json.loads(run(f"billtide what-if --rate-card {folder / 'cards.json'} --json"))

    assert any(one["billed"]["change"] != "0.00" for one in told["totals"])
    assert run("billtide engagement E-0052 --json") == before


def test_records_and_sheets_go_in(run: Run, folder: Path, up: str) -> None:
    """A file of JSON lines and a time sheet by its mapping are taken."""
    ends_well(up)
    assert run(f"billtide produce {folder / 'events.jsonl'}")
    sheet = f"--terms {folder / 'clients.csv'} {folder / 'sheet.csv'}"
    assert run(f"billtide intake csv --map examples/bookkeeping.toml {sheet}")


def test_one_more_worker_starts_and_stops(environment: dict[str, str], up: str) -> None:
    """`billtide worker` joins, and ends by itself when it is asked to."""
    ends_well(up)
    worker = subprocess.Popen(["billtide", "worker"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(5)
        assert worker.poll() is None, worker.stderr
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=WORKER_SECONDS)
        assert worker.returncode == 0, said
    finally:
        worker.kill()
        worker.wait()


def test_shapes_and_settings_are_told(run: Run) -> None:
    """`schema` writes what is committed; `settings` lists every variable."""
    run("billtide schema")
    changed = subprocess.run(["git", "status", "--porcelain", "schema"], cwd=ROOT, capture_output=True, check=False)
    assert changed.stdout == b""
    assert "BILLTIDE_KAFKA_BOOTSTRAP" in run("billtide settings")


def test_make_lists_every_command(run: Run) -> None:
    """`make` alone names each target the README speaks of."""
    listed = run("make")
    assert all(f"  {name} " in listed for name in commands() if name.startswith("make "))


@pytest.mark.parametrize("bench", ["throughput", "restore"])
def test_benches_print_one_object(run: Run, bench: str) -> None:
    """With fewer events than the README's, the same command prints one JSON object."""
    line = next(command for command in commands() if f"bench/{bench}.py" in command)
    figures = json.loads(run(re.sub(r"\d{4,}", str(EVENTS), line)))
    assert all(value is not None for value in figures.values())


def test_no_command_is_left_out() -> None:
    """A command that comes into the README must come in here."""
    assert commands() == [
        "make demo",
        "billtide topics create",
        "billtide doctor",
        "billtide worker",
        "billtide produce FILE",
        "billtide intake csv --map examples/bookkeeping.toml --terms CLIENTS FILE",
        "billtide engagement E-0052",
        "billtide explain ENTRY",
        "billtide dead-letters list",
        "billtide holds list",
        "billtide verify",
        "billtide replay --from topics",
        "billtide what-if --rate-card CARDS",
        "billtide schema",
        "billtide settings",
        "python bench/throughput.py --events 300000 --json",
        "python bench/restore.py --entries 1000000 --json",
        "make up",
        "make down",
        "make test",
        "make",
        "make setup",
    ]
