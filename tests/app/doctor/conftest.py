"""The command line and a broker, as the tests of the commands have them."""

from __future__ import annotations

from ..cli.conftest import _own_settings, kafka, run

__all__ = ["_own_settings", "kafka", "run"]
