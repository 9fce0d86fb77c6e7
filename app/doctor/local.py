"""This machine: room on the disk of the data directory, and leave to write there. A worker needs neither."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from .line import Line

if TYPE_CHECKING:
    from .view import View

MIB: Final = 1024 * 1024
ROOM_LITTLE: Final = 1024 * MIB


async def check(view: View) -> list[Line]:
    """Look at the data directory, or where it would be made."""
    folder = view.settings.data_dir.absolute()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        mend = "Before `billtide demo` or `up`, set BILLTIDE_DATA_DIR to a directory you may write"
        return [Line("warn", f"{there} cannot be written", mend)]
    return [room(shutil.disk_usage(there).free, str(folder))]


def room(free: int, folder: str) -> Line:
    """Judge the free bytes of a disk."""
    found = f"{free // MIB} MiB free for {folder}"
    mend = "Free some, or set BILLTIDE_DATA_DIR to another disk"
    return Line("warn", found, mend) if free < ROOM_LITTLE else Line("ok", found)
