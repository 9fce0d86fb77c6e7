"""Changes come from files as objects, arrays or lines; what is wrong is told with its place, field and fix."""

from __future__ import annotations

import io
import json

import pytest

from billtide.app.whatif.changes import Change, changes_of

from ...builders import engagement, fx_rate, rate_card

ONE, OTHER = json.dumps(rate_card()), json.dumps(rate_card(version=2))
PRETTY = json.dumps(rate_card(), indent=2)


def read(text: str, stream: str = "rate-cards") -> list[Change | str]:
    """What a file holds."""
    file = io.BytesIO(text.encode())
    file.name = "cards.json"
    return list(changes_of(stream, file))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        pytest.param(ONE, ["cards.json line 1"], id="one-object"),
        pytest.param(PRETTY, ["cards.json"], id="one-object-over-lines"),
        pytest.param(f"[{PRETTY},\n{OTHER}]", ["cards.json item 1", "cards.json item 2"], id="array"),
        pytest.param(f"{ONE}\n\n{OTHER}\n", ["cards.json line 1", "cards.json line 3"], id="lines"),
    ],
)
def test_three_forms_of_a_file_are_read(text: str, places: list[str]) -> None:
    """One object, an array of objects, or an object a line: each is one change, named by its place and key."""
    found = read(text)

    assert [one.place for one in found if isinstance(one, Change)] == places
    assert next(one.name for one in found if isinstance(one, Change)) == "rate-cards std/1"


@pytest.mark.parametrize(
    ("text", "stream", "said"),
    [
        pytest.param(
            json.dumps([rate_card(), rate_card(lines=[{"role": "analyst", "rate": "1,5"}])]), "rate-cards",
            "cards.json item 2, $.lines[0].rate: '1,5' is not a decimal number; write it as text", id="item-and-field",
        ),
        pytest.param(
            ONE + "\n" + json.dumps(rate_card(verion=3)), "rate-cards",
            "cards.json line 2, $.verion: there is no such field; did you mean 'version'?", id="misspelt-field",
        ),
        pytest.param(
            json.dumps(engagement(contract_type="capped")), "engagements",
            "cards.json line 1, $.cap: ", id="terms-without-sense",
        ),
        pytest.param(
            json.dumps(fx_rate(rate="0")), "fx-rates", "cards.json line 1, $.rate: '0' is not above zero", id="rate",
        ),
        pytest.param(ONE + "\n{\n", "rate-cards", "cards.json line 2", id="line-that-is-broken"),
        pytest.param(PRETTY[:-1], "rate-cards", "cards.json: ", id="object-that-does-not-end"),
        pytest.param(
            PRETTY.replace('"scope"', "scope"), "rate-cards", "cards.json line 4: JSON is malformed", id="broken-inside",
        ),
        pytest.param("[1, 2", "rate-cards", "cards.json: ", id="array-that-does-not-end"),
        pytest.param("\n", "rate-cards", "cards.json: it holds no object; write one object", id="nothing"),
        pytest.param("[]", "rate-cards", "cards.json: it holds no object; write one object", id="no-items"),
        pytest.param("[7]", "rate-cards", "cards.json item 1", id="no-object"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, stream: str, said: str) -> None:
    """File, item or line, field, problem and fix in one sentence; the good objects beside it are read on."""
    problems = [one for one in read(text, stream) if isinstance(one, str)]

    assert len(problems) == 1
    assert problems[0].startswith(said)
    assert "; " in problems[0]
