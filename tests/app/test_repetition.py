"""The log filter: what a library repeats is said once a while and counted, and nothing else is touched."""

from __future__ import annotations

import logging
import logging.config
from typing import TYPE_CHECKING

from billtide.app.repetition import REMEMBERED_MAX, SECONDS, Unrepeated
from billtide.app.worker import logging_config

if TYPE_CHECKING:
    import pytest


class Clock:
    """Seconds that pass when a test says so."""

    now = 1_000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def record(name: str, message: str, *arguments: object) -> logging.LogRecord:
    """What a logger hands to its filters."""
    return logging.LogRecord(name, logging.ERROR, "", 0, message, arguments, None)


def test_the_same_is_said_once_until_time_has_passed() -> None:
    """The first passes, those at once after it do not, whatever their arguments; the next tells how many."""
    clock = Clock()
    unrepeated = Unrepeated("aiokafka", clock)
    passed = [unrepeated.filter(record("aiokafka", "no node %s", number)) for number in range(4)]
    clock.now += SECONDS
    last = record("aiokafka", "no node %s", 9)

    assert passed == [True, False, False, False]
    assert unrepeated.filter(last)
    assert last.getMessage() == "no node 9 (and 3 times more within 10 s)"


def test_what_differs_and_what_others_say_passes() -> None:
    """Another wording, another logger of the library, and every logger of ours is said each time."""
    unrepeated = Unrepeated("aiokafka", Clock())
    said = [record("aiokafka", "a"), record("aiokafka", "b"), record("aiokafka.conn", "a")]
    ours = [record("billtide.app", "a"), record("billtide.app", "a"), record("aiokafkaish", "a")]

    assert all(unrepeated.filter(one) for one in [*said, *ours, ours[-1]])


def test_it_does_not_remember_for_ever() -> None:
    """A library that never says the same twice costs no memory without end."""
    unrepeated = Unrepeated("aiokafka", Clock())
    for number in range(3 * REMEMBERED_MAX):
        assert unrepeated.filter(record("aiokafka", f"message {number}"))

    assert len(unrepeated._said) <= REMEMBERED_MAX


def test_a_worker_filters_what_its_kafka_client_repeats(capfd: pytest.CaptureFixture[str]) -> None:
    """The worker's own logging says a lost connection once, and each of our lines."""
    kept, level = logging.root.handlers[:], logging.root.level
    try:
        logging.config.dictConfig(logging_config("INFO"))
        for _ in range(5):
            logging.getLogger("aiokafka").error("Unable connect to node with id %s: %s", 1, "refused")
            logging.getLogger("billtide.test").info("a line of ours")
        said = capfd.readouterr().err
    finally:
        logging.root.handlers[:], logging.root.level = kept, level

    assert (said.count("Unable connect"), said.count("a line of ours")) == (1, 5)
