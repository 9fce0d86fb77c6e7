"""`billtide demo`, `up` and `down` as users run them, with a broker of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from billtide.app import broker as brokers
from billtide.app import topics
from billtide.app.demo import firm, progress, workers
from billtide.app.demo.feed import ForeignDataError, require_own, send_phase
from billtide.app.demo.progress import StalledError, following
from billtide.app.settings import load

if TYPE_CHECKING:
    from pathlib import Path

    from billtide.app.broker import Broker
    from billtide.app.settings import Settings

PATIENCE_SECONDS = 120
COMMAND = [sys.executable, "-c", "from billtide.app.cli import main; main()"]


def environment(data_dir: Path) -> dict[str, str]:
    """This environment without any of our settings but the data directory."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("BILLTIDE_")}
    return others | {"BILLTIDE_DATA_DIR": str(data_dir)}


def run(data_dir: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    answer = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(data_dir),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


def settings_for(broker: Broker, prefix: str, tmp_path: Path) -> Settings:
    """Topics of a test's own."""
    return load(kafka_bootstrap=broker.bootstrap, topic_prefix=prefix, app_id=prefix.rstrip("."), data_dir=tmp_path)


@pytest.mark.kafka
def test_up_then_demo_then_down(tmp_path: Path) -> None:
    """The week is billed to the cent; sent again it changes nothing; broker and workers run from `up` to `down`."""
    try:
        code, said = run(tmp_path, "up", "--seed", "7")
        lines = said.strip().splitlines()
        verdict = next(line for line in lines if line.startswith("demo: "))

        assert re.fullmatch(r"demo: ok entries=\d+ billed=CHF:\S+ lost=0 duplicated=0 difference=0\.00", verdict), said
        assert code == 0
        assert "look: billtide engagement" in lines[-1]
        left = workers.running(load(data_dir=tmp_path))
        assert len(left) == workers.WORKERS

        code, said = run(tmp_path, "demo", "--seed", "7")

        assert code == 0, said
        assert re.search(r"^nothing changed: \d+ of \d+ records were duplicates", said, re.MULTILINE), said
        assert said.strip().splitlines()[-1] == verdict, "money and entries are the same"
        assert workers.running(load(data_dir=tmp_path)) == left, "what `up` started goes on"
    finally:
        code, said = run(tmp_path, "down")
    assert code == 0
    assert said.startswith("stopped 2 workers and the broker"), said
    assert workers.running(load(data_dir=tmp_path)) == []
    assert brokers.find(tmp_path) is None


@pytest.mark.kafka
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_demo_leaves_nothing_running(number: signal.Signals, tmp_path: Path) -> None:
    """Workers and broker are stopped, and the exit code says that it was interrupted."""
    command = subprocess.Popen(
        [*COMMAND, "demo"], env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    started: list[workers.WorkerProcess] = []
    while len(started) < workers.WORKERS and time.monotonic() < deadline:
        started = workers.running(load(data_dir=tmp_path))
        time.sleep(0.05)
    command.send_signal(number)
    said, _ = command.communicate(timeout=PATIENCE_SECONDS)

    assert len(started) == workers.WORKERS, said
    assert command.returncode == 130, said
    assert not any(workers.is_running(worker) for worker in started)
    assert brokers.find(tmp_path) is None


@pytest.mark.kafka
async def test_a_wait_without_progress_names_topic_and_logs(
    broker: Broker, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody applies what was sent, the message says where it stands and what to look at."""
    monkeypatch.setattr(progress, "STALLED_SECONDS", 1.0)
    settings = settings_for(broker, topic_prefix, tmp_path)
    await topics.create(settings)
    week = firm.sample_week(1)
    await send_phase(settings, {"approvals": week.load["approvals"][:50]})
    async with following(settings) as waiting:
        with pytest.raises(
            StalledError, match=rf"{topic_prefix}approvals partition \d stands at offset 0.*look at w\.log"
        ):
            await waiting.processed(lambda: "w.log")


@pytest.mark.kafka
async def test_topics_of_other_data_are_refused(broker: Broker, topic_prefix: str, tmp_path: Path) -> None:
    """A week is not sent where the engagements of another one are, because the check would be about both."""
    settings = settings_for(broker, topic_prefix, tmp_path)
    await topics.create(settings)
    week = firm.sample_week(1)

    assert not await require_own(settings, week)
    await send_phase(settings, {"engagements": week.masters["engagements"]})
    assert await require_own(settings, week)
    with pytest.raises(ForeignDataError, match="holds engagement 'E-"):
        await require_own(settings, firm.sample_week(2))


def test_workers_of_other_topics_are_refused(tmp_path: Path) -> None:
    """Workers that run on the data directory must read the topics that are about to be written."""
    settings = load(data_dir=tmp_path)
    other = workers.WorkerProcess("w-1", 1, 1, settings.kafka_bootstrap, "elsewhere.", "w.log", str(tmp_path))

    with pytest.raises(workers.OtherWorkersError, match="reads elsewhere"):
        workers.require_same(settings, [other])


def test_a_worker_that_has_ended_is_named_with_its_log(tmp_path: Path) -> None:
    """The wait stops at once when a worker is gone."""
    gone = workers.WorkerProcess("w-1", 2**30, 1, "127.0.0.1:9092", "billtide.", "w.log", str(tmp_path))

    with pytest.raises(workers.WorkerEndedError, match=r"worker w-1 has ended; its log is w\.log"):
        workers.require_running([gone])
