"""What every test may ask for: a real broker, topic names of its own, a seed that is always printed."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from billtide.app import broker as brokers

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED_VARIABLE = "BILLTIDE_TEST_SEED"
SEED_BITS = 32


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed once a run; no property fails because the machine is slow."""
    settings.register_profile(
        "billtide", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("billtide")
    given = os.environ.get(SEED_VARIABLE, "").strip()
    try:
        config.stash[SEED] = int(given) if given else secrets.randbits(SEED_BITS)
    except ValueError:
        message = f"{SEED_VARIABLE}={given} is not a whole number; use the one a failed run printed, or unset it"
        raise pytest.UsageError(message) from None


SEED = pytest.StashKey[int]()


def pytest_report_header(config: pytest.Config) -> str:
    """Say the seed at the top of every run, so that any failure can be repeated."""
    return f"seed: {config.stash[SEED]} (repeat with {SEED_VARIABLE}={config.stash[SEED]})"


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Seed of this run; printed again with a failing test."""
    value = request.config.stash[SEED]
    print(f"{SEED_VARIABLE}={value}")  # noqa: T201 - pytest shows it with the failure
    return value


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brokers.Broker]:
    """A Kafka broker for the whole run. None to be had is a failure: a skipped suite proves nothing."""
    try:
        running = brokers.start(tmp_path_factory.mktemp("broker") / "kafka")
    except brokers.BrokerUnavailable as error:
        pytest.fail(str(error), pytrace=False)
    yield running
    brokers.discard(running)


@pytest.fixture
def topic_prefix() -> str:
    """Start of all topic names of one test, so that tests share a broker and nothing else."""
    return f"t{secrets.token_hex(3)}."
