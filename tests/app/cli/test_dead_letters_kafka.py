"""`billtide dead-letters` on a broker: corrected, re-driven once however often it is asked, and applied once."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer

from billtide.app import clients, records, topics
from billtide.app.audit.reading import opened
from billtide.app.demo import workers
from billtide.app.intake.admission import admit
from billtide.app.letters import re_driving, reading
from billtide.app.letters.re_driving import Signed, re_drive_all
from billtide.app.refusal import RefusedError
from billtide.app.settings import load
from billtide.codecs import dead_letter, re_drive
from billtide.codecs.errors import UndecodableError

from ...builders import Object, engagement, rate_card, resource, time_entry, year

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiokafka import ConsumerRecord
    from click.testing import Result

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("kafka")]

PATIENCE_SECONDS = 60.0
SIGNED = ("--by", "finance", "--why", "clock export mended")
BY = Signed("finance", "clock export mended")
ERROR = UndecodableError("invalid_field", "$.quantity", "not a number", "send a number")
KILLED = """
import asyncio
from billtide.app.letters import reading, re_driving
from billtide.app.runtime import failpoints
from billtide.app.settings import load
async def work():
    letters, _ = await reading.read(load())
    failpoints.arm("sent:1:kill")
    await re_driving.re_drive_all(load(), list(letters.values()), re_driving.Signed("finance", "killed half-way"))
asyncio.run(work())
"""


def read(stream: str) -> list[ConsumerRecord]:
    """Every committed record of a stream."""

    async def work() -> list[ConsumerRecord]:
        async with opened(load(), (stream,)) as found:
            return [record async for batch in found.to_end() for record in batch.records]

    return asyncio.run(work())


def put_aside(*values: bytes, stream: str = "time-entries") -> None:
    """Create the topics, and write letters as a worker does, each from an offset of its own."""
    settings = load()

    async def work() -> None:
        await topics.create(settings)
        letters: list[Any] = []
        for offset, value in enumerate(values):
            own = dead_letter.kept(b"E1", value, [("traceparent", b"00-1")])
            headers = dead_letter.headers(settings.topic(stream), 0, offset, 1_700_000_000_000, own.headers, ERROR)
            letters.append((own.key, own.value, headers))
        await records.send(settings, "dead-letters", letters)

    asyncio.run(work())


def entry_bytes(**changed: object) -> bytes:
    """A time entry as JSON."""
    return json.dumps(time_entry(**changed)).encode()


def test_a_malformed_entry_is_corrected_re_driven_twice_and_applied_once(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    """A worker puts it aside; corrected and sent it bills; sent a second time nothing leaves. Who and why is shown."""
    settings = load(telemetry_port=0, data_dir=tmp_path, app_id=load().topic_prefix.rstrip("."))
    masters: list[tuple[str, Object]] = [("resources", resource()), ("periods", year()), ("rate-cards", rate_card())]
    bad = entry_bytes(quantity="7,5", status="approved")

    async def send() -> None:
        await topics.create(settings)
        for stream, value in (*masters, ("engagements", engagement())):
            await records.send(settings, stream, [admit(stream, json.dumps(value).encode())])
        await records.send(settings, "time-entries", [(b"E1", bad, ())])

    asyncio.run(send())
    worker = workers.start(settings, "letters")
    try:
        letter_id = awaited(lambda: [one["id"] for one in listed(run)])[0]
        shown = json.loads(run("dead-letters", "show", letter_id, "--json").stdout)
        refused = run("dead-letters", "fix", letter_id, "--set", "$.quantity=7,4", *SIGNED)
        fixed = run("dead-letters", "fix", letter_id, "--set", "$.quantity=7.5", *SIGNED)
        dry = run("dead-letters", "re-drive", letter_id)
        assert len(read("time-entries")) == 1
        first = run("dead-letters", "re-drive", letter_id, "--send", *SIGNED)
        second = run("dead-letters", "re-drive", letter_id, "--send", *SIGNED, "--json")
        (bill,) = awaited(lambda: read("billing"))
    finally:
        workers.stop_all(settings, [worker])
    after = json.loads(run("dead-letters", "list", "--all", "--json").stdout)["letters"]

    assert shown["value_text"].encode() == bad
    assert [one["field"] for one in shown["differences"]] == ["$.quantity"]
    assert (refused.exit_code, "would come back" in refused.stderr) == (2, True)
    assert [result.exit_code for result in (fixed, dry, first, second)] == [0, 0, 0, 0]
    assert "would be sent" in dry.stdout
    assert json.loads(second.stdout)["already_re_driven"] == [letter_id]
    assert json.loads(bill.value)["quantity"] == "7.5"
    sent = read("time-entries")
    assert [record.value for record in sent] == [
        bad,
        bad.replace(b"7,5", b"7.5").replace(b": ", b":").replace(b", ", b","),
    ]
    assert (sent[1].key, dict(sent[1].headers)[re_drive.HEADER]) == (b"E1", letter_id.encode())
    assert listed(run) == []
    assert (after[0]["state"], after[0]["last_done"]["by"], after[0]["last_done"]["why"]) == ("re_driven", *BY)


def listed(run: Callable[..., Result]) -> list[Any]:
    """What `list` shows."""
    found: list[Any] = json.loads(run("dead-letters", "list", "--json").stdout)["letters"]
    return found


def awaited(found: Callable[[], list[Any]]) -> list[Any]:
    """Ask until something is there."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if there := found():
            return there
        time.sleep(0.2)
    raise AssertionError("nothing came")


def test_a_run_that_is_killed_half_way_is_ended_by_the_next(run: Callable[..., Result]) -> None:
    """Killed with everything sent and nothing committed, nothing is visible; run again, each letter is there once."""
    put_aside(*(entry_bytes(id=str(number)) for number in range(5)))
    killed = subprocess.run([sys.executable, "-c", KILLED], check=False, timeout=PATIENCE_SECONDS)
    again = run("dead-letters", "re-drive", "--all", "--send", *SIGNED, "--json")
    third = run("dead-letters", "re-drive", "--all", "--send", *SIGNED, "--json")

    assert killed.returncode == -signal.SIGKILL
    assert len(json.loads(again.stdout)["sent"]) == 5, again.output
    assert json.loads(third.stdout)["sent"] == []
    assert Counter(record.value for record in read("time-entries")) == {entry_bytes(id=str(n)): 1 for n in range(5)}
    assert [json.loads(record.value)["why"] for record in read("re-drives")] == [BY.why] * 5


@pytest.mark.parametrize("at_once", [7, 500], ids=["five-transactions", "one-transaction"])
def test_two_runs_at_once_send_each_letter_once(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """One fences the other, or passes over what the other has sent; between them each letter leaves once."""
    count = 30
    monkeypatch.setattr(re_driving, "LETTERS_MAX", at_once)
    put_aside(*(entry_bytes(id=str(number)) for number in range(count)))
    settings = load()

    async def work() -> list[Any]:
        letters, _ = await reading.read(settings)
        runs = [re_drive_all(settings, list(letters.values()), BY) for _ in range(3)]
        ended = await asyncio.gather(*runs, return_exceptions=True)
        return [*ended, await re_drive_all(settings, list(letters.values()), BY)]  # what a fenced run left

    ended = asyncio.run(work())
    sent = [told.letter for result in ended if not isinstance(result, BaseException) for told in result.sent]

    assert len(sent) == len(set(sent))
    assert all(isinstance(one, (re_driving.Result, RefusedError)) for one in ended), ended
    assert Counter(record.value for record in read("time-entries")) == {
        entry_bytes(id=str(number)): 1 for number in range(count)
    }


def test_letters_are_re_driven_by_filter_and_what_would_come_back_stays(run: Callable[..., Result]) -> None:
    """A filter takes its letters alone; one that still cannot be decoded is told with its mend, exit code 1."""
    put_aside(entry_bytes(id="1"), entry_bytes(id="2", quantity="x"), entry_bytes(id="3", engagement_id="E9"))
    nothing = run("dead-letters", "re-drive", "--engagement", "E404", "--send", *SIGNED, "--json")
    of_one = run("dead-letters", "re-drive", "--engagement", "E9", "--send", *SIGNED, "--json")
    rest = run("dead-letters", "re-drive", "--reason", "invalid_field", "--field", "$.quantity", "--send", *SIGNED)

    assert json.loads(nothing.stdout)["sent"] == []
    assert json.loads(of_one.stdout)["sent"][0] | {"to": ""} == {
        "letter": "time-entries:0:2", "stream": "time-entries", "key": "E9", "key_before": "E1", "to": "",
    }  # fmt: skip
    assert rest.exit_code == 1
    assert "time-entries:0:1: $.quantity" in rest.stderr
    assert sorted(record.key for record in read("time-entries")) == [b"E1", b"E9"]


def test_a_value_too_large_for_its_letter_is_read_where_it_stands(run: Callable[..., Result]) -> None:
    """The letter names what it lacks; the re-drive sends the whole record, or says that its topic lost it."""
    value = entry_bytes(notes="x" * dead_letter.BYTES_MAX)
    put_aside(value)
    lost = run("dead-letters", "re-drive", "--all", "--json")
    asyncio.run(records.send(load(), "time-entries", [(b"E1", value, ())]))
    first = next(record for record in read("time-entries") if record.value == value)
    settings = load()
    headers = dead_letter.headers(
        settings.topic("time-entries"), first.partition, first.offset, 1, dead_letter.kept(b"E1", value, ()).headers, ERROR
    )  # fmt: skip
    asyncio.run(records.send(settings, "dead-letters", [(b"E1", None, headers)]))
    sent = run("dead-letters", "re-drive", f"time-entries:{first.partition}:{first.offset}", "--send", *SIGNED)

    assert lost.exit_code == 1
    assert "is not here" in json.loads(lost.stdout)["refused"][0]["problem"]
    assert sent.exit_code == 0, sent.output
    assert [record.value for record in read("time-entries")].count(value) == 2


def test_a_letter_is_shown_written_out_edited_and_kept(run: Callable[..., Result], tmp_path: Path) -> None:
    """People read what differs and what to do; the value goes to a file and comes back checked; a dry run keeps nothing."""
    put_aside(entry_bytes(status="done"), b"{")
    file = tmp_path / "letter.json"
    listing, shown = run("dead-letters", "list").stdout, run("dead-letters", "show", "time-entries:0:0").stdout
    out = run("dead-letters", "fix", "time-entries:0:0", "--out", str(file))
    file.write_bytes(file.read_bytes().replace(b"done", b"approved"))
    dry = run("dead-letters", "fix", "time-entries:0:0", "--value", str(file), "--dry-run")
    before = listed(run)[0]["state"]
    unsigned = run("dead-letters", "fix", "time-entries:0:0", "--value", str(file))
    kept = run("dead-letters", "fix", "time-entries:0:0", "--value", str(file), *SIGNED)
    after = run("dead-letters", "show", load().topic("time-entries") + ":0:0").stdout

    assert "2 dead letters: 2 invalid_field" in listing
    assert """differs  $.status is "done": Invalid enum value 'done'; must be one of approved, deleted""" in shown
    assert "header   traceparent: b'00-1'" in shown
    assert (out.exit_code, dry.exit_code, unsigned.exit_code, kept.exit_code) == (0, 0, 2, 0)
    assert "--by NAME --why TEXT" in unsigned.stderr
    assert before == "open"
    assert "corrected by finance: clock export mended" in after
    assert run("dead-letters", "show", "time-entries:9:9").exit_code == 1


def test_a_letter_that_was_sent_takes_no_correction(run: Callable[..., Result]) -> None:
    """Sent is sent: a correction after it would never leave, so it is refused with what to do."""
    put_aside(entry_bytes())
    run("dead-letters", "re-drive", "time-entries:0:0", "--send", *SIGNED)
    late = run("dead-letters", "fix", "time-entries:0:0", "--set", "$.quantity=1", *SIGNED)

    assert late.exit_code == 2
    assert "with a higher revision" in late.stderr


def test_what_was_sent_before_a_run_took_over_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends while another is about to begin is known to that other: what was done is read after the fence."""
    put_aside(entry_bytes())
    settings, start = load(), clients.start
    first: list[Any] = []

    async def late(client: Any, *rest: Any) -> None:
        if isinstance(client, AIOKafkaProducer) and not first:
            first.append("begun")
            letters, _ = await reading.read(settings)
            first.append(await re_drive_all(settings, list(letters.values()), BY))
        await start(client, *rest)

    async def work() -> Any:
        letters, _ = await reading.read(settings)
        monkeypatch.setattr(clients, "start", late)
        return await re_drive_all(settings, list(letters.values()), BY)

    second = asyncio.run(work())

    assert (len(first[1].sent), len(second.sent), len(second.done)) == (1, 0, 1)
    assert len(read("time-entries")) == 1


def test_a_run_that_another_took_over_from_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fenced between its records and its commit, nothing of it is visible, and the error says to run it again."""
    put_aside(entry_bytes())
    settings, tell = load(), re_driving._tell
    begun: list[str] = []

    async def work() -> list[Any]:
        letters, _ = await reading.read(settings)

        async def taken_over(*given: Any) -> Any:
            if not begun:
                begun.append("first")
                begun.append((await re_drive_all(settings, list(letters.values()), BY)).sent[0].letter)
            return await tell(*given)

        monkeypatch.setattr(re_driving, "_tell", taken_over)
        return await asyncio.gather(re_drive_all(settings, list(letters.values()), BY), return_exceptions=True)

    (ended,) = asyncio.run(work())

    assert isinstance(ended, RefusedError), ended
    assert "run it again" in str(ended)
    assert begun[1] == "time-entries:0:0"
    assert [record.value for record in read("time-entries")] == [entry_bytes()]
