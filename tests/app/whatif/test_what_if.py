"""`billtide what-if` as a user meets it, without a broker: files in, sums and engagements out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from billtide.app.cli.what_if_text import SHOWN_MAX, signed

from ...builders import engagement, rate_card, resource, time_entry
from .firm import FIRM, lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

CARD = json.dumps(rate_card(version=2, lines=[{"role": "analyst", "rate": "110"}]))


@pytest.fixture
def firm(tmp_path: Path) -> str:
    """The firm's records as a file."""
    return lines(tmp_path / "firm.jsonl", *FIRM)


@pytest.fixture
def card(tmp_path: Path) -> str:
    """Analysts at 110 as a file."""
    file = tmp_path / "card.json"
    file.write_text(CARD)
    return str(file)


def test_json_has_sums_and_engagements(run: Callable[..., Result], firm: str, card: str) -> None:
    """One object: what was looked at, the sum of each currency, each engagement before, after and the change."""
    result = run("what-if", "--from", firm, "--rate-card", card, "--json")
    told = json.loads(result.stdout)

    assert result.exit_code == 0, result.output
    assert told["tried_on"] == {"engagements": 5, "entries": 9}
    assert told["without_effect"] == []
    assert [one["engagement_id"] for one in told["engagements"]] == ["E1", "E2"]
    assert told["engagements"][0]["billed"] == {"before": "1780.00", "after": "1940.00", "change": "160.00"}
    assert [(one["currency"], one["engagements"], one["margin"]["change"]) for one in told["totals"]] == [
        ("EUR", 2, "160.00")
    ]
    assert told["totals"][0]["events"]["billing"]["charge"] == {"count": 5, "amount": "2760.00"}


def test_people_get_the_sums_first_and_what_moves_most(run: Callable[..., Result], firm: str, card: str) -> None:
    """Amounts with their sign in columns; the engagement whose margin moves most stands first."""
    shown = run("what-if", "--from", firm, "--rate-card", card).stdout.splitlines()
    (billed,) = [row for row in shown if row.startswith("billed")]
    rows = [row.split() for row in shown if row.startswith("E")]

    assert shown[0] == "2 engagements would move: 5 engagements with 9 entries looked at, nothing written"
    assert billed.split() == ["billed", "2,780.00", "2,940.00", "+160.00"]
    assert "billing: 5 charges of 2,760.00 EUR together" in shown
    assert rows[1:] == [
        ["E1", "EUR", "+160.00", "+80.00", "0.00", "+160.00", "0.00", "+160.00", "0", ">", "0", "4"],
        ["E2", "EUR", "0.00", "0.00", "+160.00", "0.00", "0.00", "0.00", "1", ">", "1", "5"],
    ]


def test_many_engagements_are_cut_for_people(run: Callable[..., Result], tmp_path: Path, card: str) -> None:
    """The table ends after as many as a person reads and says how many more there are."""
    ids = [f"X{number}" for number in range(SHOWN_MAX + 2)]
    terms = [("engagements", engagement(id=one)) for one in ids]
    worked = [("time-entries", time_entry(engagement_id=one, status="approved")) for one in ids]
    firm = lines(tmp_path / "many.jsonl", *FIRM[:5], *terms, *worked)
    shown = run("what-if", "--from", firm, "--rate-card", card).stdout.splitlines()

    assert sum(row.startswith("X") for row in shown) == SHOWN_MAX
    assert shown[-1] == "and 2 engagements more; --json has them all"


def test_several_changes_are_tried_together(run: Callable[..., Result], firm: str, card: str, tmp_path: Path) -> None:
    """A card and a cost rate: 160 more billed for 80 more of cost."""
    cost = tmp_path / "cost.jsonl"
    cost.write_text(json.dumps(resource(revision=2, cost_rates=[{"rate": "55", "currency": "EUR"}])))
    arguments = ("--rate-card", card, "--cost", str(cost), "--engagement-id", "E1")
    told = json.loads(run("what-if", "--from", firm, *arguments, "--json").stdout)

    assert [one["margin"]["change"] for one in told["engagements"]] == ["80.00"]


def test_what_moves_nothing_says_so(run: Callable[..., Result], firm: str) -> None:
    """A card of next year prices nothing that is there."""
    later = json.dumps(rate_card(version=2, effective_from="2027-01-01"))
    result = run("what-if", "--from", firm, "--rate-card", "-", stdin=later)

    assert result.exit_code == 0
    assert result.stdout == "nothing would move: 5 engagements with 9 entries looked at, nothing written\n"


def test_an_object_without_effect_is_named(run: Callable[..., Result], firm: str) -> None:
    """Beside one that counts it is told on stderr and in --json; alone it is refused, for the answer would mislead."""
    known = json.dumps(rate_card())
    arguments = ("what-if", "--from", firm, "--rate-card", "-")
    beside = run(*arguments, "--json", stdin=f"{known}\n{CARD}\n")
    alone = run(*arguments, stdin=known)

    assert beside.exit_code == 0
    assert json.loads(beside.stdout)["without_effect"] == [{"place": "stdin line 1", "object": "rate-cards std/1"}]
    assert "stdin line 1: rate-cards std/1 is known in this or a later revision" in beside.stderr
    assert alone.exit_code == 2
    assert not alone.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(("--from", "{firm}"), 2, "name a change: --rate-card, --engagement, --fx, --fx-shift", id="no-change"),
        pytest.param(("--from", "{firm}", "--from", "topics", "--rate-card", "{card}"), 2, "stands alone", id="mixed"),
        pytest.param(("--from", "{firm}", "--rate-card", "nowhere.json"), 2, "nowhere.json", id="no-file"),
        pytest.param(("--from", "{firm}", "--fx", "{card}"), 2, "1 object of 1 refused, nothing was tried", id="wrong-shape"),
        pytest.param(("--from", "{firm}", "--rate-card", "{card}", "--engagement-id", "E404"), 1, "there is no engagement E404", id="unknown-engagement"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(
    run: Callable[..., Result], firm: str, card: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """The exit code, the reason and what to do; nothing on stdout."""
    result = run("what-if", *(argument.format(firm=firm, card=card) for argument in arguments))

    assert result.exit_code == code
    assert said in result.stderr
    assert not result.stdout


def test_a_broker_that_is_absent_is_a_sentence(
    run: Callable[..., Result], card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --from the topics are read; exit code 2 when nobody answers."""
    monkeypatch.setenv("BILLTIDE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    result = run("what-if", "--rate-card", card)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "no Kafka at 127.0.0.1:1" in result.stderr


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1200.00", "+1,200.00"), ("-3", "-3"), ("0.00", "0.00"), ("0", "0"), ("0.01", "+0.01"), (None, "-")],
)
def test_differences_carry_their_sign(amount: str | None, shown: str) -> None:
    """Plus and minus, nothing for nothing; what is unknown is a dash."""
    assert signed(amount) == shown
