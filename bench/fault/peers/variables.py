"""What a peer's worker is told: the variables that billtide's own workers of a run are given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

BOOTSTRAP: Final = os.environ["BILLTIDE_KAFKA_BOOTSTRAP"]
APP: Final = os.environ["BILLTIDE_APP_ID"]
ENTRIES: Final = f"{os.environ['BILLTIDE_TOPIC_PREFIX']}time-entries"
CHARGES: Final = f"{os.environ['BILLTIDE_TOPIC_PREFIX']}billing"
PLACE: Final = os.environ.get("BILLTIDE_INSTANCE_ID", "")
"""Its static place in the group; empty for a worker that joins and leaves as it comes."""
STATE: Final = Path(os.environ["BILLTIDE_DATA_DIR"]) / (PLACE or str(os.getpid()))
STATE.parent.mkdir(parents=True, exist_ok=True)
SESSION_MILLISECONDS: Final = int(os.environ["BILLTIDE_SESSION_TIMEOUT_MILLISECONDS"])
HEARTBEAT_MILLISECONDS: Final = int(os.environ["BILLTIDE_HEARTBEAT_MILLISECONDS"])
TRANSACTION_MILLISECONDS: Final = int(os.environ["BILLTIDE_TRANSACTION_TIMEOUT_MILLISECONDS"])
DELIVERY_MILLISECONDS: Final = int(os.environ["BILLTIDE_DELIVERY_MILLISECONDS_MAX"])
PARTITIONS: Final = int(os.environ["BILLTIDE_PARTITIONS"])
COMMIT_SECONDS: Final = 0.5
"""How often a peer commits: far more often than it does by default, so that a fault meets as little as may be."""
