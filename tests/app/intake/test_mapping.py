"""The mapping file: what is accepted, and the sentence for each thing that is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billtide.app.intake.mapping import MappingError, load

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
GOOD = """
source = "sheet"
legal_entity_id = "DE"
[entry]
id = { column = "id" }
engagement_id = { column = "project" }
resource_id = { fixed = "R-1" }
work_date = { column = "day" }
quantity = { column = "hours", unit = "hour" }
status = { fixed = "approved" }
"""


@pytest.fixture
def problem_of(tmp_path: Path) -> Callable[[str], str]:
    """Gives the message of a mapping that is refused."""

    def of(text: str) -> str:
        file = tmp_path / "map.toml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(MappingError) as caught:
            load(file)
        assert caught.value.exit_code == 2
        return caught.value.message

    return of


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda file: file.name)
def test_every_example_is_a_valid_mapping(file: Path) -> None:
    """The mappings in examples/ load."""
    assert load(file).source


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param("", "sauce = 1", "sauce is not a key of a mapping; did you mean source?", id="unknown at the top"),
        pytest.param(
            '{ fixed = "R-1" }',
            '{ fixd = "R-1" }',
            "entry.resource_id.fixd is not a key of a mapping; did you mean fixed?",
            id="unknown inside",
        ),
        pytest.param('work_date = { column = "day" }', "", "entry.work_date is missing; add it", id="missing"),
        pytest.param(
            '{ column = "id" }',
            "{}",
            "entry.id: it has neither of `column` and `columns`; write exactly one",
            id="neither",
        ),
        pytest.param(
            '{ fixed = "R-1" }',
            '{ fixed = "R-1", column = "r" }',
            "entry.resource_id: it has both of `column` and `fixed`; write exactly one",
            id="both",
        ),
        pytest.param(
            'unit = "hour"',
            'start = "a"',
            "it must say how long in one way; write `column` and `unit`, or `start` and `end`",
            id="two ways",
        ),
        pytest.param(
            'unit = "hour"',
            'unit = "hour", past_midnight = true',
            "entry.quantity: past_midnight belongs to `start` and `end`; remove it",
            id="midnight of a column",
        ),
        pytest.param(
            '"approved"',
            '"aproved"',
            "entry.status.fixed is 'aproved': input should be 'draft', 'submitted'",
            id="status",
        ),
        pytest.param(
            'source = "sheet"',
            'source = "a:b"',
            "source is 'a:b': not the name of a system; write it without colons",
            id="source",
        ),
        pytest.param(
            'legal_entity_id = "DE"',
            'resources = [{ id = "R", cost_rate = "1", currency = "EUR" }]',
            "legal_entity_id is missing; engagements, periods and resources belong to one",
            id="entity",
        ),
        pytest.param(
            "legal_entity_id",
            'periods = { first = "2026-13" }\nlegal_entity_id',
            "periods.first is '2026-13': not a month; write it like \"2026-11\"",
            id="month",
        ),
        pytest.param(
            "legal_entity_id",
            'resources = [{ id = "R", cost_rate = 4.5, currency = "EUR" }]\nlegal_entity_id',
            "cost_rate is 4.5: input should be a valid string; write it in quotes",
            id="binary float",
        ),
        pytest.param("[entry]", "[entry", "is not TOML", id="syntax"),
    ],
)
def test_a_wrong_mapping_names_key_problem_and_fix(
    problem_of: Callable[[str], str], before: str, after: str, sentence: str
) -> None:
    """Each mistake is told by the key as it stands in the TOML, what is wrong and what to write."""
    text = GOOD.replace(before, after, 1) if before else after + GOOD

    assert sentence in problem_of(text)


def test_all_problems_are_told_at_once(problem_of: Callable[[str], str]) -> None:
    """A mapping with two mistakes gives two sentences."""
    told = problem_of(GOOD.replace('{ column = "id" }', "{}").replace('"approved"', '"done"'))

    assert len(told.splitlines()) == 2


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    """A path that is not there is refused with what to give."""
    with pytest.raises(MappingError, match="give the path of a mapping file"):
        load(tmp_path / "none.toml")
