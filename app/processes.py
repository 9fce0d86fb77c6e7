"""What the machine says of a process: by its files where there is /proc, else by `ps`."""

from __future__ import annotations

import subprocess
from pathlib import Path


def command_line(pid: int) -> str:
    """Its arguments with blanks between them; empty when there is no such process."""
    process = Path("/proc") / str(pid)
    if process.parent.joinpath("self").exists():
        try:
            return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return _ps(pid, "command=")


def holds_nothing(pid: int) -> bool:
    """Whether a process has let go of its files and ports: a dying one loses its command line before those."""
    process = Path("/proc") / str(pid)
    if not process.parent.joinpath("self").exists():
        return _ps(pid, "stat=").strip()[:1] in ("", "Z")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state in "ZX" and len(list((process / "task").iterdir())) <= 1
    except OSError:
        return True


def _ps(pid: int, column: str) -> str:
    command = ["ps", "-ww", "-o", column, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - no shell
