"""An engagement's figures as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from billtide.app.cli.engagement_table import write_figures
from billtide.codecs.figures import PracticeMargin

from ...codecs.samples import FULL

if TYPE_CHECKING:
    import pytest

    from billtide.codecs.figures import EngagementFigures


def shown(figures: EngagementFigures, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The words of each line."""
    write_figures(figures)
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_margin_is_shown_by_practice_and_region(capsys: pytest.CaptureFixture[str]) -> None:
    """A row each, with thousands apart; who belongs nowhere is a dash. Without rows there is no table."""
    figures = FULL["engagement-figures"]
    rows = (
        PracticeMargin("", "", "0.00", "5.00", "-5.00"),
        PracticeMargin("cloud", "dach", "1234.50", "34.50", "1200.00"),
    )
    lines = shown(msgspec.structs.replace(figures, margins=rows), capsys)

    assert ["-", "-", "0.00", "5.00", "-5.00"] in lines
    assert ["cloud", "dach", "1,234.50", "34.50", "1,200.00"] in lines
    assert ["practice", "region", "revenue", "earned", "cost", "margin"] in [
        list(map(str.lower, line)) for line in lines
    ]
    without = shown(msgspec.structs.replace(figures, margins=()), capsys)
    assert not any("practice" in map(str.lower, line) for line in without)


def test_estimates_of_cost_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """At completion and to complete, with thousands apart; unknown is a dash, never zero."""
    figures = msgspec.structs.replace(FULL["engagement-figures"], estimate_at_completion="1234.50")
    unknown = msgspec.structs.replace(figures, estimate_at_completion=None, estimate_to_complete=None)

    assert ["estimate", "at", "completion", "1,234.50"] in shown(figures, capsys)
    assert ["estimate", "to", "complete", "-"] in shown(unknown, capsys)
