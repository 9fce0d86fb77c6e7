"""Commands that need no broker: help, versions, settings, schemas, and checks before anything is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from billtide.app.cli.engagement_table import WAITS, explained, grouped
from billtide.app.cli.root import COMMANDS
from billtide.app.topology import TOPOLOGY
from billtide.codecs.exception import HoldReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

ROOT = Path(__file__).resolve().parents[3]
ENTRY = {"source": "psa", "id": "1", "revision": 1, "engagement_id": "E-1", "resource_id": "R-1"} | {
    "work_date": "2026-11-20",
    "quantity": "7.5",
    "status": "approved",
}
HEAVY = ("faust", "aiokafka", "pydantic", "msgspec")


def line(stream: str = "time-entries", **changed: object) -> str:
    """One line of a file to produce."""
    return json.dumps({"stream": stream, "value": ENTRY | changed}) + "\n"


def test_help_names_every_command_and_the_exit_codes(run: Callable[..., Result]) -> None:
    """`billtide --help` lists the commands and says what each exit code means."""
    result = run("--help")

    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)
    assert all(f"\n    {code}  " in result.stdout for code in (0, 1, 2))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(run: Callable[..., Result], name: str) -> None:
    """Each command of the table exists in its module and has a help text."""
    result = run(name, "--help")

    assert result.exit_code == 0, result.output
    assert f"Usage: main {name}" in result.stdout


def test_help_loads_no_heavy_library() -> None:
    """The group starts fast: neither Kafka nor validation libraries are imported for help."""
    code = f"import sys; from billtide.app.cli import main; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)

    assert done.stdout.strip() == "[]"


def test_the_module_runs_like_the_script() -> None:
    """`python -m billtide.app.cli --version` prints the versions that matter."""
    done = subprocess.run(
        [sys.executable, "-m", "billtide.app.cli", "--version"], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout.startswith("billtide ")
    assert "aiokafka" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        pytest.param(("wroker",), "did you mean `billtide worker`?", id="command"),
        pytest.param(("topics", "chek"), "did you mean `billtide topics check`?", id="topics"),
        pytest.param(("intake", "cvs"), "did you mean `billtide intake csv`?", id="intake"),
        pytest.param(("topics", "xyz"), "`billtide topics --help` lists them.", id="nothing-like-it"),
    ],
)
def test_a_misspelt_command_is_answered_with_the_right_one(
    run: Callable[..., Result], arguments: tuple[str, ...], meant: str
) -> None:
    """The error on stderr names the nearest command of the same group; the exit code is 2."""
    result = run(*arguments)

    assert result.exit_code == 2
    assert f"there is no command {arguments[-1]!r}; {meant}" in result.stderr
    assert not result.stdout


def test_settings_mask_secrets(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is never printed, neither for people nor as JSON; where a value comes from is."""
    monkeypatch.setenv("BILLTIDE_KAFKA_PASSWORD", "open sesame")
    shown, as_json = run("settings"), run("settings", "--json")
    by_name = {one["name"]: one for one in json.loads(as_json.stdout)["settings"]}

    assert "sesame" not in shown.output + as_json.output
    assert by_name["BILLTIDE_KAFKA_PASSWORD"]["value"] == "********"
    assert by_name["BILLTIDE_KAFKA_PASSWORD"]["from"] == "environment"
    assert by_name["BILLTIDE_PARTITIONS"] | {"meaning": ""} == {
        "name": "BILLTIDE_PARTITIONS",
        "value": 8,
        "from": "default",
        "meaning": "",
    }


def test_a_wrong_setting_is_refused_with_a_sentence(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable stops every command that reads settings, with the right name and exit code 2."""
    monkeypatch.setenv("BILLTIDE_PARTITONS", "4")
    result = run("topics", "show")

    assert result.exit_code == 2
    assert "did you mean BILLTIDE_PARTITIONS?" in result.stderr


def test_topics_show_is_the_topology(run: Callable[..., Result]) -> None:
    """Every stream is shown with its topic, key and partitions, without a broker."""
    shown = json.loads(run("topics", "show", "--json").stdout)["topics"]
    table = run("topics", "show").stdout

    assert [topic["stream"] for topic in shown] == [stream.name for stream in TOPOLOGY.streams]
    assert {topic["stream"]: topic["key"] for topic in shown}["periods"] == "{legal_entity_id}/{id}"
    assert all(topic["topic"] in table for topic in shown)


def test_schema_writes_and_checks(run: Callable[..., Result], tmp_path: Path) -> None:
    """A check fails with exit code 1 and the command that mends it; after that command it passes."""
    out = str(tmp_path / "schema")
    before = run("schema", "--out", out, "--check")
    written = run("schema", "--out", out)
    after = run("schema", "--out", out, "--check", "--json")

    assert (before.exit_code, written.exit_code, after.exit_code) == (1, 0, 0)
    assert f"billtide schema --out {out}" in before.stderr
    assert json.loads(after.stdout) == {"ok": True, "difference": None}


def test_a_directory_that_cannot_be_made_is_a_sentence(run: Callable[..., Result], tmp_path: Path) -> None:
    """The path, the reason and the fix, with exit code 2; no traceback."""
    file = tmp_path / "file"
    file.touch()
    result = run("schema", "--out", f"{file}/x")

    assert result.exit_code == 2
    assert f"{file}/x cannot be written: Not a directory; give --out" in result.stderr


def test_produce_checks_every_line_before_it_sends(run: Callable[..., Result], tmp_path: Path) -> None:
    """Each bad line is told with file, line, field, problem and fix; nothing is sent and no broker is asked."""
    file = tmp_path / "events.jsonl"
    file.write_text(line() + "\n" + line(quantity="7,5") + line("time-entry") + line("billing") + "not json\n")
    result = run("produce", str(file))

    assert result.exit_code == 2
    assert f"{file} line 3, $.quantity: '7,5' is not a decimal number; write it as text" in result.stderr
    assert f"{file} line 4, stream: there is no stream 'time-entry'; did you mean 'time-entries'?" in result.stderr
    assert f"{file} line 5, stream: 'billing' takes no records from outside; send to one of" in result.stderr
    assert f"{file} line 6: JSON is malformed" in result.stderr
    assert "4 lines of 5 refused, nothing was sent" in result.stderr


def test_produce_problems_as_json(run: Callable[..., Result]) -> None:
    """With --json the problems are on stdout as one object, the exit code stays 2."""
    result = run("produce", "-", "--json", stdin=line(revision=0))
    told = json.loads(result.stdout)

    assert result.exit_code == 2
    assert told["sent"] == {}
    assert [(one["file"], one["line"], one["field"]) for one in told["refused"]] == [("stdin", 1, "$.revision")]


def test_produce_dry_run_needs_no_broker(run: Callable[..., Result]) -> None:
    """--dry-run checks and counts, and connects to nothing."""
    result = run("produce", "-", "--dry-run", stdin=line() + line(id="2"))

    assert result.exit_code == 0
    assert result.stdout == "2 records checked, nothing sent (--dry-run): time-entries 2\n"


def test_produce_refuses_what_no_topic_takes(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """A value above BILLTIDE_MESSAGE_BYTES_MAX is refused before the first record leaves, in a dry run too."""
    monkeypatch.setenv("BILLTIDE_MESSAGE_BYTES_MAX", str(1024 * 1024))
    result = run("produce", "-", "--dry-run", stdin=line(notes="x" * 1024 * 1024))

    assert result.exit_code == 2
    assert "BILLTIDE_MESSAGE_BYTES_MAX is 1048576" in result.stderr


def test_intake_stops_at_a_bad_row_unless_told_to_skip_it(run: Callable[..., Result], tmp_path: Path) -> None:
    """A refused row stops the whole file with exit code 2; --skip-bad goes on without it and ends with 1."""
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(
        "date,clock_in,clock_out,code,notes,tags\n2026-11-20,09:00:00,10:00:00,A,,\n2026-11-20,11:00:00,10:00:00,A,,\n"
    )
    arguments = ("intake", "csv", "--map", str(ROOT / "examples/bookkeeping.toml"), str(sheet), "--dry-run")
    stopped, skipped = run(*arguments), run(*arguments, "--skip-bad")
    told = json.loads(run(*arguments, "--json").stdout)

    assert (stopped.exit_code, skipped.exit_code) == (2, 1)
    assert "sheet.csv row 3, column clock_out: 10:00:00 is before clock_in 11:00:00" in stopped.stderr
    assert "1 row refused, nothing was sent" in stopped.stderr
    assert "3 records checked, nothing sent (--dry-run): periods 1, resources 1, time-entries 1" in skipped.stdout
    assert (told["rows"], told["sent"], told["refused"][0]["row"]) == (2, {}, 3)


def test_intake_warns_of_entries_without_terms(run: Callable[..., Result], tmp_path: Path) -> None:
    """Without --terms the example's entries would be held: stderr and --json say so, and the exit code stays 0."""
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("date,clock_in,clock_out,code,notes,tags\n2026-11-20,09:00:00,10:00:00,A,,\n")
    arguments = ("intake", "csv", "--map", str(ROOT / "examples/bookkeeping.toml"), str(sheet), "--dry-run")
    shown, told = run(*arguments), run(*arguments, "--json")

    assert (shown.exit_code, told.exit_code) == (0, 0)
    assert "warning: no terms of A: all entries will be held as engagement_unknown" in shown.stderr
    assert "--terms FILE" in json.loads(told.stdout)["warnings"][0]


def test_an_absent_broker_is_a_sentence(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a broker each command that needs one ends with exit code 2 and the same sentence, and nothing else."""
    monkeypatch.setenv("BILLTIDE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    fix = "start one with `billtide up`, or set BILLTIDE_KAFKA_BOOTSTRAP"
    for arguments in (("topics", "check"), ("topics", "create"), ("engagement", "E-1"), ("produce", "-")):
        result = run(*arguments, stdin=line())

        assert result.exit_code == 2, arguments
        assert result.output == f"Error: no Kafka at 127.0.0.1:1; {fix}\n"


@pytest.mark.parametrize("wait", [0, 1_000])
def test_a_worker_without_a_broker_says_only_that(tmp_path: Path, wait: int) -> None:
    """What it waits for, if it may; then the sentence that says what to do. No log line of the client beside them."""
    command = [sys.executable, "-m", "billtide.app.cli", "worker"]
    given = {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "DATA_DIR": str(tmp_path), "TELEMETRY_PORT": "0", "LOG_LEVEL": "WARNING"}
    given |= {"BROKER_WAIT_MILLISECONDS_MAX": str(wait)}
    environment = os.environ | {f"BILLTIDE_{name}": value for name, value in given.items()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    *waits, refusal = done.stderr.splitlines()
    assert refusal.startswith("Error: no Kafka at 127.0.0.1:1; start one with")
    assert [json.loads(line)["event"].split(",")[0] for line in waits] == ["waiting for Kafka at 127.0.0.1:1"] * bool(
        wait
    )


def test_every_hold_reason_is_explained() -> None:
    """The table of an engagement says of each reason what it waits for; an unknown one is not an error."""
    assert set(WAITS) == set(get_args(HoldReason))
    assert explained("reason_of_tomorrow")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1234567.50", "1,234,567.50"), ("-1234.5", "-1,234.5"), ("-0.50", "-0.50"), ("0", "0"), (None, "-")],
)
def test_amounts_are_grouped_without_arithmetic(amount: str | None, shown: str) -> None:
    """Thousands are set apart and no digit is lost; what is unknown is a dash, never zero."""
    assert grouped(amount) == shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("re-drive",), "say which letters", id="none"),
        pytest.param(("re-drive", "a:0:1", "--all"), "say which letters", id="id-and-all"),
        pytest.param(("re-drive", "--all", "--send"), "--by NAME --why TEXT", id="unsigned"),
        pytest.param(("re-drive", "--all", "--send", "--by", "a", "--why", " "), "--by NAME --why TEXT", id="no-why"),
        pytest.param(("re-drve",), "did you mean `billtide dead-letters re-drive`?", id="misspelt"),
    ],
)
def test_dead_letters_are_asked_for_one_way_and_signed(
    run: Callable[..., Result], arguments: tuple[str, ...], sentence: str
) -> None:
    """Nothing is read before the command says which letters, and for sending who does it and why."""
    result = run("dead-letters", *arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
