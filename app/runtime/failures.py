"""Why a task fails, in words that metrics, logs and pages share."""

from __future__ import annotations

from typing import Final, Literal

from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    ProducerFenced,
)

from ...tables.table import UnreadableStateError
from .transaction import OutcomeUnknownError

Reason = Literal["rules", "state", "fenced", "unknown_outcome", "kafka", "position", "unexpected"]

OUTCOMES: Final[dict[Reason, str]] = {
    "rules": "a rule raised; nothing of its slab is committed and it is tried again",
    "state": "the changelog holds what this worker cannot read; nothing is committed until one that can has the task",
    "fenced": "another worker owns the task; it is activated again from the changelog if it is still assigned here",
    "unknown_outcome": "the answer to a commit was lost; the changelog says what became of it",
    "kafka": "Kafka refused or did not answer; nothing is committed and it is tried again",
    "position": "the log does not hold the next record of the task, or not all of its state",
    "unexpected": "unexpected error; nothing is committed and it is tried again",
}


class PositionOutsideLogError(RuntimeError):
    """The next record to apply is no longer, or not yet, in the log: retention took it, or the topic is another.

    Records of the state may be gone too.
    """


def reason_of(error: BaseException, stage: str) -> Reason:
    """Name the reason of a failure at a stage: rules, transaction or activation."""
    if isinstance(error, UnreadableStateError) or stage == "rules":
        return "state" if isinstance(error, UnreadableStateError) else "rules"
    # A sender that died wraps what killed it.
    cause = error.__cause__ if type(error) is KafkaError and error.__cause__ is not None else error
    if isinstance(cause, ProducerFenced | InvalidProducerEpoch | InvalidTxnState | InvalidProducerIdMapping):
        return "fenced"
    if isinstance(cause, PositionOutsideLogError):
        return "position"
    if isinstance(cause, OutcomeUnknownError | TimeoutError) and stage == "transaction":
        return "unknown_outcome"
    if isinstance(cause, KafkaError | OSError | TimeoutError):
        return "kafka"
    return "unexpected"
