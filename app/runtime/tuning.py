"""Constants of libraries and of the interpreter that the worker sets, all in one place, and mends of a library."""

from __future__ import annotations

import gc
import sys
from typing import Final

from aiokafka.producer import sender

from . import connections, fetcher, header_names

TRANSACTION_BACKOFF_SECONDS: Final = 0.002
"""aiokafka waits a fixed 20 ms before a transaction that follows another at once, until the broker has written the
markers of the first. That takes it about 1 ms; with 2 ms a back-to-back transaction takes 2 ms instead of 23."""

GC_THRESHOLDS: Final = (500_000, 20, 100)
"""A slab makes some hundred thousand objects that live until its commit; a collection in its midst finds nothing
and walks through all of them. The default of 700 would collect for each few records."""

SWITCH_INTERVAL_SECONDS: Final = 0.001
"""The consumer thread must get at the interpreter between two steps of a long slab, to fetch and to heartbeat."""


def tune() -> None:
    """Apply all of it; called once, before the first client is made."""
    connections.mend()
    fetcher.mend()
    header_names.mend()
    sender.BACKOFF_OVERRIDE = TRANSACTION_BACKOFF_SECONDS
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    # What is imported by now lives as long as the process: the collector need not walk through it again.
    gc.collect()
    gc.freeze()
