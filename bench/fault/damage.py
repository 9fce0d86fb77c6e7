"""What a run has damaged, counted: the shape every part of the check reports in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self


@dataclass(slots=True)
class Damage:
    """lost, duplicated: records and events; wrong: any other fact that is not as it must be; problems: sentences."""

    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.lost or self.duplicated or self.wrong)

    def __iadd__(self, other: Damage) -> Self:
        """Add what another part of the check has found."""
        self.lost += other.lost
        self.duplicated += other.duplicated
        self.wrong += other.wrong
        self.problems += other.problems
        return self

    def lose(self, count: int, problem: str) -> None:
        """Count what is missing."""
        self.lost += count
        self.problems.append(problem)

    def double(self, count: int, problem: str) -> None:
        """Count what is there too often."""
        self.duplicated += count
        self.problems.append(problem)

    def mistake(self, problem: str) -> None:
        """Count one fact that is not right."""
        self.wrong += 1
        self.problems.append(problem)
