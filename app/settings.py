"""Settings of a worker: read from BILLTIDE_* variables, checked once, frozen. Each limit carries its unit."""

from __future__ import annotations

import difflib
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ..agents.poison import PoisonLimits
from ..codecs.errors import shortened
from .refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "BILLTIDE_"
TEST_PREFIX: Final = "BILLTIDE_TEST_"
"""Variables of the test suite; a worker ignores them."""

KIB: Final = 1024
MIB: Final = 1024 * KIB


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


class SettingsError(RefusedError):
    """A BILLTIDE_* variable is unknown or has a value that cannot be used."""


class Settings(BaseSettings):
    """What a worker, a command or a page needs to know about its surroundings."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, separated by commas")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to the brokers"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How to log in, for the SASL protocols"
    )
    kafka_username: str = Field("", description="SASL user")
    kafka_password: SecretStr = Field(SecretStr(""), description="SASL password")
    kafka_ca_file: Path | None = Field(None, description="Certificates to trust; the system's when unset")

    topic_prefix: str = Field("billtide.", pattern=r"^[A-Za-z0-9._-]*$", description="Start of every topic name")
    app_id: str = Field("billtide", pattern=r"^[A-Za-z0-9._-]+$", description="Consumer group and transactional ids")
    instance_id: str = Field("", description="Static group membership: the pod's stable name; empty is dynamic")
    partitions: Annotated[int, Field(ge=1, le=1024)] = Field(8, description="Tasks: partitions of every input")
    replication_factor: Annotated[int, Field(ge=1, le=9)] = Field(1, description="Copies of each topic")

    telemetry_host: str = Field("127.0.0.1", description="Address of /metrics and the health pages")
    telemetry_port: Annotated[int, Field(ge=0, le=65535)] = Field(9464, description="Its port; 0 takes any free one")
    data_dir: Path = Field(
        Path(".billtide"), description="Directory of `billtide demo` and `up`; workers keep nothing on their disk"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged")

    slab_records_max: Annotated[int, Field(ge=1)] = Field(8_000, description="Records of one transaction at most")
    slabs_waiting_max: Annotated[int, Field(ge=1, le=16)] = Field(
        2, description="Slabs a partition may have waiting or in work before its fetching is paused"
    )
    slabs_held_max: Annotated[int, Field(ge=1)] = Field(
        16, description="Slabs a worker may hold over all its partitions before all fetching is paused"
    )
    fetch_bytes_max: Annotated[int, Field(ge=KIB)] = Field(4 * MIB, description="Bytes of one partition per fetch")
    fetch_wait_milliseconds_max: Annotated[int, Field(ge=1, le=5_000)] = Field(
        100, description="How long a broker may wait for records before it answers a fetch"
    )
    batch_bytes_max: Annotated[int, Field(ge=16 * KIB)] = Field(MIB, description="Bytes of one produced batch")
    message_bytes_max: Annotated[int, Field(ge=MIB)] = Field(8 * MIB, description="max.message.bytes of our topics")
    delivery_milliseconds_max: Annotated[int, Field(ge=1_000)] = Field(
        8_000, description="How long a batch may take to be acknowledged; then the transaction is aborted"
    )
    commit_milliseconds_max: Annotated[int, Field(ge=1_000)] = Field(
        9_000, description="How long a commit may take; then its outcome is unknown and the task starts anew"
    )
    transaction_timeout_milliseconds: Annotated[int, Field(ge=1_000)] = Field(
        12_000, description="When the broker aborts a transaction nobody ends; shorter than the session timeout"
    )
    session_timeout_milliseconds: Annotated[int, Field(ge=6_000)] = Field(
        20_000, description="When the group gives up a silent worker; longer than a restart for static members"
    )
    heartbeat_milliseconds: Annotated[int, Field(ge=100)] = Field(2_000, description="Time between two heartbeats")
    rebalance_milliseconds_max: Annotated[int, Field(ge=1_000)] = Field(
        60_000, description="How long the group waits for a member in a rebalance"
    )
    request_milliseconds_max: Annotated[int, Field(ge=1_000)] = Field(30_000, description="Time limit of any request")
    metadata_milliseconds_max: Annotated[int, Field(ge=1_000)] = Field(
        30_000, description="How old what a client knows of topics may be: until then a change is not noticed"
    )
    position_commit_milliseconds: Annotated[int, Field(ge=100)] = Field(
        5_000, description="How often lag is measured and group offsets are written, for lag tools only"
    )
    quiet_input_milliseconds: Annotated[int, Field(ge=100)] = Field(
        600_000,
        description="After so long, or twice that, without a record an input is read to its end, markers included",
    )

    broker_wait_milliseconds_max: Annotated[int, Field(ge=0)] = Field(
        300_000, description="How long a worker that finds no broker at its start waits for one; then it ends with 2"
    )
    restore_fetch_bytes_max: Annotated[int, Field(ge=MIB)] = Field(16 * MIB, description="Bytes per changelog fetch")
    restore_records_step: Annotated[int, Field(ge=100)] = Field(
        20_000, description="Changelog records applied before other work may run"
    )
    restores_at_once_max: Annotated[int, Field(ge=1)] = Field(2, description="Tasks restored at the same time")
    standbys: Annotated[int, Field(ge=0, le=8)] = Field(
        0, description="Workers that may go at once while the state of their tasks is kept warm by others; 0 keeps none"
    )
    standby_records_step: Annotated[int, Field(ge=100)] = Field(
        5_000, description="Changelog records applied to warm copies before other work may run"
    )
    standby_records_per_second_max: Annotated[int, Field(ge=1_000)] = Field(
        100_000,
        description="Changelog records a worker applies to warm copies in a second, so that its tasks come first",
    )
    standby_lagged_milliseconds_max: Annotated[int, Field(ge=1_000, le=86_400_000)] = Field(
        3_600_000,
        description="How long a warm copy may lack records; then it is read anew. Less than delete.retention.ms, 24 h",
    )
    warm_restores_at_once_max: Annotated[int, Field(ge=1)] = Field(
        16, description="Tasks that go on from warm copies at the same time"
    )
    activation_milliseconds_max: Annotated[int, Field(ge=1_000)] = Field(
        60_000, description="How long fencing the former owner may take before the activation is tried again"
    )
    retry_milliseconds_first: Annotated[int, Field(ge=1)] = Field(
        100, description="Pause before a failed task is activated again; it doubles each time"
    )
    retry_milliseconds_max: Annotated[int, Field(ge=1)] = Field(15_000, description="Longest such pause")
    wake_entries_max: Annotated[int, Field(ge=1)] = Field(
        1_000, description="Entries settled again in one transaction when reference data changes"
    )
    undecodable_references_max: Annotated[int, Field(ge=1)] = Field(
        10_000, description="Undecodable reference records kept until task 0 has put them on dead-letters"
    )
    poison_run_records_max: Annotated[int, Field(ge=1)] = Field(
        200, description="Bad records in a row that are put aside; one more, and the task takes no more of that input"
    )
    poison_share_percent_max: Annotated[int, Field(ge=1, le=100)] = Field(
        50, description="Share of the window that may be bad records, one always; 100 is no limit"
    )
    poison_window_records: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1_000, description="Last records of a task and input over which that share is taken"
    )
    drain_milliseconds_max: Annotated[int, Field(ge=100)] = Field(
        15_000, description="How long a stop or a rebalance waits for the slab in hand"
    )
    lost_records: Literal["refuse", "accept"] = Field(
        "refuse",
        description="When the log no longer holds the next record of a task: refuse to go on, or accept the gap",
    )
    failpoint: str = Field(
        "",
        pattern=r"^$|^[a-z_]+:[1-9][0-9]*:(kill|stop|stall|fail)$",
        description="For tests of faults: point:times:action kills, stops, stalls, fails this worker there; else empty",
    )

    @field_validator("kafka_bootstrap")
    @classmethod
    def _brokers(cls, value: str) -> str:
        for address in value.split(","):
            host, _, port = address.strip().rpartition(":")
            if not host or not port.isdigit():
                message = f"{shortened(address)!r} is not host:port; write it like 127.0.0.1:9092"
                raise ValueError(message)
        return value

    @field_validator("kafka_ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is None:
            return None  # reading the system's takes 40 ms, and says nothing
        try:
            ssl.create_default_context(cafile=value)
        except OSError as error:
            named = shortened(str(value))
            message = f"{named} cannot be read as certificates: {error.strerror}; name a PEM file, or unset it"
            raise ValueError(message) from error
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Settings:
        """Limits that must stand in an order to be safe."""
        pairs = (
            ("delivery_milliseconds_max", "transaction_timeout_milliseconds"),
            ("commit_milliseconds_max", "transaction_timeout_milliseconds"),
            ("transaction_timeout_milliseconds", "session_timeout_milliseconds"),
            ("session_timeout_milliseconds", "request_milliseconds_max"),
            ("heartbeat_milliseconds", "session_timeout_milliseconds"),
            ("retry_milliseconds_first", "retry_milliseconds_max"),
            ("batch_bytes_max", "message_bytes_max"),
            ("poison_run_records_max", "poison_window_records"),
        )
        for low, high in pairs:
            if getattr(self, low) > getattr(self, high):
                message = (
                    f"{variable(low)} ({getattr(self, low)}) must not exceed {variable(high)} ({getattr(self, high)}); "
                    "change one of them"
                )
                raise ValueError(message)
        if self.kafka_security_protocol.startswith("SASL") and not self.kafka_username:
            message = (
                f"{variable('kafka_security_protocol')} {self.kafka_security_protocol} needs "
                f"{variable('kafka_username')} and {variable('kafka_password')}; set both"
            )
            raise ValueError(message)
        return self

    def poison_limits(self) -> PoisonLimits:
        """How many bad records of an input a task puts aside before it stops taking it."""
        return PoisonLimits(self.poison_run_records_max, self.poison_share_percent_max, self.poison_window_records)

    def topic(self, stream: str) -> str:
        """Kafka topic of a stream of the topology."""
        return self.topic_prefix + stream

    def connection(self) -> dict[str, Any]:
        """Arguments every Kafka client of ours is made with: where the brokers are and how to log in."""
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap,
            "security_protocol": self.kafka_security_protocol,
            "request_timeout_ms": self.request_milliseconds_max,
            "metadata_max_age_ms": self.metadata_milliseconds_max,
        }
        if self.kafka_security_protocol.endswith("SSL"):
            arguments["ssl_context"] = ssl.create_default_context(cafile=self.kafka_ca_file)
        if self.kafka_security_protocol.startswith("SASL"):
            arguments |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": self.kafka_username,
                "sasl_plain_password": self.kafka_password.get_secret_value(),
            }
        return arguments


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Sentences about BILLTIDE_* variables that no setting reads, each with the nearest name.

    Case counts: pydantic reads any, so that of two spellings of one name nobody could say which wins.
    """
    known = {variable(name) for name in Settings.model_fields}
    problems = []
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name not in known and not name.startswith(TEST_PREFIX):
            near = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.0)
            problems.append(f"{shortened(name)} is not a setting; did you mean {near[0]}? Unset or rename it")
    return problems


def load(**given: object) -> Settings:
    """Read the environment; `given` values win over it. Raises SettingsError with a sentence per problem."""
    problems = unknown_variables(os.environ)
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        problems += [_sentence(detail) for detail in error.errors()]
        raise SettingsError("\n".join(problems)) from error
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _sentence(detail: Any) -> str:  # noqa: ANN401 - a TypedDict pydantic_core does not export
    where = ".".join(str(part) for part in detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{variable(where)}: {message}" if where else message
