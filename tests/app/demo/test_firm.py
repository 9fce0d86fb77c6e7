"""The sample week: the same for the same seed, and with everything in it that a firm's week can bring."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from billtide.app.demo import ceilings, deals, fees, firm, happenings, mishaps
from billtide.app.demo.courses import COURSES
from billtide.codecs import approval, engagement, expense, period, rate_card, resource, time_entry
from billtide.codecs.errors import UndecodableError

from .memory import reckoned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from billtide.app.demo.happenings import Sent

FRIDAY_NOON = happenings.moment(happenings.FRIDAY, 12 * 60)
RECORDS = range(16_000, 24_001)


@pytest.fixture(scope="module")
def week() -> firm.Week:
    """The week that `billtide demo` shows."""
    return firm.sample_week(7)


def read(records: Iterable[Sent], decode: Callable[[bytes | None], Any]) -> list[Any]:
    """Every record that can be read."""
    found = []
    for sent in records:
        try:
            found.append(decode(sent.value))
        except UndecodableError:
            continue
    return found


def versions(week: firm.Week) -> dict[tuple[str, str], list[Any]]:
    """Every record of every time entry and expense, in the order sent, by engagement and id."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for stream, decode in (("time-entries", time_entry.decode), ("expenses", expense.decode)):
        for entry in read(week.load[stream], decode):
            found[entry.engagement_id, entry.id].append(entry)
    return found


def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    """Two weeks of one seed are equal, record by record, headers and timestamps included."""
    assert firm.sample_week(seed) == firm.sample_week(seed)


def test_another_seed_gives_another_week(seed: int) -> None:
    """The seed decides."""
    assert firm.sample_week(seed) != firm.sample_week(seed + 1)


def test_the_week_is_as_large_as_a_firm_of_400(week: firm.Week) -> None:
    """400 people, 120 engagements of six legal entities in five currencies, and their records."""
    sold = read([*week.masters["engagements"], *week.late["engagements"]], engagement.decode)
    people = read([*week.masters["resources"], *week.late["resources"]], resource.decode)

    assert len(week) in RECORDS
    assert Counter(terms.contract_type for terms in sold if terms.revision == 1) == deals.ENGAGEMENTS
    assert len({terms.legal_entity_id for terms in sold}) == 6
    assert {terms.currency for terms in sold} == {"EUR", "USD", "GBP", "CHF", "JPY"}
    assert len({person.id for person in people}) == 399, "one of the 400 never arrives"


def test_most_is_handed_in_on_friday_afternoon(week: firm.Week) -> None:
    """More than two thirds of the entries come on Friday after noon."""
    entries = week.load["time-entries"]
    late = sum(sent.timestamp >= FRIDAY_NOON for sent in entries)

    assert late * 3 > len(entries) * 2


def test_each_stream_is_in_the_order_of_its_timestamps(week: firm.Week) -> None:
    """What is sent first carries the earlier timestamp, and no phase begins before the last has ended."""
    for phase in week.phases:
        for records in phase.values():
            moments = [sent.timestamp for sent in records]
            assert moments == sorted(moments)
    ends = [max(sent.timestamp for records in phase.values() for sent in records) for phase in week.phases]
    begins = [min(sent.timestamp for records in phase.values() for sent in records) for phase in week.phases]
    assert all(end < begin for end, begin in zip(ends, begins[1:], strict=False))


def test_every_course_of_an_entry_is_taken(week: firm.Week, monkeypatch: pytest.MonkeyPatch) -> None:
    """No course is so rare that the week lacks it."""
    taken: Counter[str] = Counter()

    def counted(name: str, course: Callable[..., Any]) -> Callable[..., Any]:
        def count(line: object) -> object:
            taken[name] += 1
            return course(line)

        return count

    for name, (weight, course) in list(COURSES.items()):
        monkeypatch.setitem(COURSES, name, (weight, counted(name, course)))
    again = firm.sample_week(7)

    assert again == week
    assert set(COURSES) == {name for name, count in taken.items() if count >= 5}


def test_entries_come_in_every_unit_and_status(week: firm.Week) -> None:
    """Hours, minutes and days; drafts, submitted, approved and deleted ones; own rates and assignments."""
    entries = read(week.load["time-entries"], time_entry.decode)

    assert {entry.unit for entry in entries} == {"hour", "minute", "day"}
    assert {entry.status for entry in entries} == {"draft", "submitted", "approved", "deleted"}
    for fact in ("rate", "assignment_id", "role", "item", "task_id", "billable_quantity", "work_type"):
        assert sum(bool(getattr(entry, fact)) for entry in entries) >= 20, fact
    assert any(not entry.billable for entry in entries)


def test_expenses_are_of_every_form_and_foreign(week: firm.Week) -> None:
    """Tax, personal parts, quantities, unit prices, items, missing receipts; currencies other than the contract's."""
    terms = {terms.id: terms for terms in read(week.masters["engagements"], engagement.decode)}
    spent = [line for line in read(week.load["expenses"], expense.decode) if line.engagement_id in terms]

    for form in ("items", "quantity", "unit_price", "tax_recoverable", "receipt"):
        assert 20 <= sum(bool(getattr(line, form)) for line in spent) < len(spent), form
    assert sum(line.personal_amount != "0" for line in spent) >= 20
    assert sum(line.currency != terms[line.engagement_id].currency for line in spent) >= 100


def test_records_come_twice_late_and_in_the_wrong_order(week: firm.Week) -> None:
    """Exact duplicates, revisions after a higher one, decisions before their entry."""
    exact = Counter(sent.value for sent in week.load["time-entries"] if sent.value)
    stale = sum(
        any(after.revision < before.revision for before, after in itertools.pairwise(revisions))
        for revisions in versions(week).values()
    )
    first_seen = {
        entry.id: sent.timestamp
        for sent in reversed(week.load["time-entries"])
        for entry in read([sent], time_entry.decode)
    }
    early = [
        decision.entry_id
        for sent in week.load["approvals"]
        for decision in read([sent], approval.decode)
        if decision.entry_type == "time" and sent.timestamp < first_seen[decision.entry_id]
    ]

    assert sum(count > 1 for count in exact.values()) >= 50
    assert stale >= 20
    assert len(early) >= 50


def test_decisions_approve_reject_and_recall_at_every_level(week: firm.Week) -> None:
    """All verdicts of all levels occur."""
    decisions = read(week.load["approvals"], approval.decode)
    found = Counter((decision.verdict, decision.level) for decision in decisions)

    assert {verdict for verdict, _ in found} == {"approved", "rejected", "recalled"}
    assert {level for _, level in found} == {"manager", "project", "finance"}


def test_an_entry_moves_to_another_engagement(week: firm.Week) -> None:
    """Entries booked wrongly are deleted under one key and sent anew under another."""
    places: dict[str, set[str]] = defaultdict(set)
    for engagement_id, entry_id in versions(week):
        places[entry_id].add(engagement_id)

    assert sum(len(found) > 1 for found in places.values()) >= 5


def test_cards_are_of_every_scope_and_unit(week: firm.Week) -> None:
    """Default, region, practice and customer cards, by the hour and by the day, with a second version."""
    cards = read(week.masters["rate-cards"], rate_card.decode)

    assert {card.scope for card in cards} == {"default", "region", "practice", "customer", "intercompany"}
    assert {line.unit for card in cards for line in card.lines} == {"hour", "day"}
    assert {card.version for card in cards} == {1, 2}


def test_months_are_closed_open_future_and_reopened(week: firm.Week) -> None:
    """Some entities have October closed, some reopen it after the week, one closes November then and opens December."""
    known = read(week.masters["periods"], period.decode)
    late = read(week.late["periods"], period.decode)

    assert {"open", "closed", "future"} == {each.status for each in known}
    assert {(each.id, each.status, each.revision) for each in late} == {
        ("2025-10", "open", 2),
        ("2025-11", "closed", 2),
        ("2025-12", "open", 2),
    }
    assert {each.status for each in known if each.id == "2025-10"} == {"open", "closed"}


def test_what_waits_in_the_week_is_released_after_it_but_for_some(week: firm.Week) -> None:
    """Each reason to wait occurs; the late phase ends most of the waits, and some entries wait for ever."""
    before, after = reckoned(week.masters, week.load), reckoned(*week.phases)
    released = {reason for reason, count in before.held.items() if after.held.get(reason, 0) < count}

    assert released == {
        "engagement_unknown",
        "assignment_unknown",
        "period_closed",
        "resource_unknown",
        "cost_rate_missing",
        "rate_missing",
        "fx_rate_missing",
        "awaiting_review",
        "invoice_unknown",
        "account_unmapped",
    }
    assert after.held.keys() >= {
        "engagement_unknown",
        "resource_unknown",
        "rate_missing",
        "fx_rate_missing",
        "account_unmapped",
    }
    assert "assignment_unknown" not in after.held


def test_a_raised_cap_and_a_new_estimate_change_the_money(week: firm.Week) -> None:
    """The raised cap lets more be billed, a cap is reached in the end, and a new estimate moves the revenue."""
    before, after = reckoned(week.masters, week.load), reckoned(*week.phases)
    capped, fixed = f"E-{ceilings.RAISED_CAP:04}", f"E-{fees.NEW_ESTIMATE:04}"

    assert before.engagements[capped].held > after.engagements[capped].held
    assert before.engagements[capped].billed < after.engagements[capped].billed
    assert before.engagements[fixed].earned != after.engagements[fixed].earned
    assert any(expected.cap_reached for expected in after.engagements.values())


def test_unreadable_records_have_every_reason(week: firm.Week) -> None:
    """Each reason of a dead letter is there, and nothing else of the week is unreadable."""
    reasons = {broken.reason for broken in mishaps.BROKEN}

    assert reasons == {"empty", "malformed", "invalid_field", "key_mismatch", "wrong_type", "unsupported_version"}
    assert reckoned(*week.phases).dead_letters == len(mishaps.BROKEN)


def test_values_carry_exact_decimals(week: firm.Week) -> None:
    """Amounts and quantities are text in every record: no JSON number is a fraction."""
    for phase in week.phases:
        for records in phase.values():
            for sent in records:
                try:
                    fields = msgspec.json.decode(sent.value or b"{}")
                except msgspec.DecodeError:
                    continue
                broken = "BROKEN" in str(fields.get("id", ""))
                assert broken or not any(isinstance(value, float) for value in fields.values()), fields
