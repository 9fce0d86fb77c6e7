"""What is tried, by name: what makes and reads one input, and how many of a thousand inputs it gets."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from . import record_inputs, state_inputs, text_inputs

SECONDS_MAX: Final = 2.0
"""Processor time of one input: a reader that takes longer is a failure."""


class Target(NamedTuple):
    """A reader of input from outside. per_mille: its share of a run; prepare: what its inputs need, off the clock."""

    read: Callable[[Random], None]
    per_mille: int
    prepare: Callable[[], object] | None = None


TARGETS: Final[dict[str, Target]] = {
    "wire": Target(record_inputs.wire_record, 708),
    "agents": Target(record_inputs.agent_record, 20, record_inputs.firm),
    "reference": Target(record_inputs.reference_record, 1, record_inputs.firm),
    "headers": Target(record_inputs.headers, 100),
    "changelog": Target(state_inputs.changelog, 100, record_inputs.firm),
    "batches": Target(state_inputs.batches, 15),
    "sheets": Target(text_inputs.sheets, 8),
    "settings": Target(text_inputs.variables, 8),
    "filters": Target(text_inputs.filters, 40),
}


class Failure(NamedTuple):
    """An input that brought something else than a typed error. where: what of the traceback tells failures apart."""

    target: str
    number: int
    where: str
    problem: str


class SlowError(Exception):
    """A reader took longer than an input may."""


def _late(*_: object) -> None:
    message = f"it took more than {SECONDS_MAX} s of processor time"
    raise SlowError(message)


def counts(inputs: int) -> dict[str, int]:
    """How many of these inputs each target gets; at least one, and together at least as many as asked for."""
    return {name: max(1, -(-inputs * target.per_mille // 1000)) for name, target in TARGETS.items()}


def tried(target: str, seed: int, first: int, count: int) -> list[Failure]:
    """Try some inputs of a target. An input is made of the seed, the target and its number alone."""
    read, _, prepare = TARGETS[target]
    failures = []
    if prepare is not None:
        prepare()
    before = signal.signal(signal.SIGPROF, _late)
    try:
        for number in range(first, first + count):
            signal.setitimer(signal.ITIMER_PROF, SECONDS_MAX)
            try:
                read(Random(f"{seed}:{target}:{number}"))
            except Exception as error:  # noqa: BLE001 - every one that is not documented is a failure
                failures.append(_failure(target, number, error))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return failures


def _failure(target: str, number: int, error: Exception) -> Failure:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} at {last.filename.rpartition('/')[2]}:{last.name}"
    return Failure(target, number, where, "".join(traceback.format_exception(error))[-1_500:])
