"""The command line as a user meets it: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from billtide.app.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from billtide.app.broker import Broker

PARTITIONS = 3


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test but the broker it asks for."""
    for name in list(os.environ):
        if name.startswith("BILLTIDE_") and not name.startswith("BILLTIDE_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs `billtide` with arguments and gives what came out."""

    def command(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, list(arguments), input=stdin)

    return command


@pytest.fixture
def kafka(broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """The broker, named in the environment, with topic names of the test's own."""
    monkeypatch.setenv("BILLTIDE_KAFKA_BOOTSTRAP", broker.bootstrap)
    monkeypatch.setenv("BILLTIDE_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("BILLTIDE_PARTITIONS", str(PARTITIONS))
    return broker
