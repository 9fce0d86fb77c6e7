"""The law of a prepaid balance over generated histories: no order of arrival makes a cent appear, vanish or double.

A model that knows only the final records says month by month what the customer owes and what is earned; the task must
say the same, whatever came when, with corrections, duplicates, restarts and terms that change in between (M9).
"""

from __future__ import annotations

import calendar
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ..builders import Task, engagement, expense, period, rate_card, resource, time_entry
from ..rules import sums

if TYPE_CHECKING:
    from random import Random

    from ..builders import Object

Step = tuple[str, "Object"]
MONTHS = (1, 2, 3)
CALENDAR = [
    period(id=f"{month}", start_date=f"2026-{month:02}-01", end_date=f"2026-{month:02}-{calendar.monthrange(2026, month)[1]}")
    for month in (*MONTHS, 4)
]  # fmt: skip

refills = st.one_of(
    st.none(),
    st.fixed_dictionaries({"threshold": st.sampled_from(["0", "100", "333.33"]), "amount": st.sampled_from(["50", "700.01"])}),
    st.fixed_dictionaries({"threshold": st.sampled_from(["0.01", "100"]), "up_to": st.sampled_from(["100", "1000"])}),
)  # fmt: skip
drawdowns = st.builds(
    lambda refill, **policies: policies | ({} if refill is None else {"refill": refill}),
    refill=refills,
    overage=st.sampled_from(["bill", "hold", "absorb"]),
    unused=st.sampled_from(["roll_over", "expire", "refund"]),
    rest=st.sampled_from(["keep", "refund", "expire"]),
    includes_expenses=st.booleans(),
)
agreements = st.builds(
    lambda amount, drawdown: engagement(
        contract_type="retainer",
        end_date="2026-03-31",
        fee={"amount": amount, "drawdown": drawdown, "billed_terms": "rebill"},
    ),
    st.sampled_from(["0", "99.99", "500", "1000"]),
    drawdowns,
)
versions = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["1", "2", "3", "4"]),
        "spent": st.sampled_from([False, False, True]),
        "month": st.sampled_from(MONTHS),
        "quantity": st.sampled_from(["-2", "0.333", "2", "6", "14"]),
        "status": st.sampled_from(["approved", "approved", "approved", "deleted", "submitted"]),
    }
)


def entries(changes: list[Object]) -> list[Object]:
    """Revisions of time entries, and expenses of as many hundreds, in the order drawn, each on the 10th of its month."""
    sent = []
    for at, change in enumerate(changes, 1):
        known = {"id": change["id"], "revision": at, "status": change["status"]}
        day = f"2026-{change['month']:02}-10"
        if change["spent"] and not change["quantity"].startswith("-"):
            cents = sums.minor(change["quantity"], "KWD") * 10
            sent.append(expense(**known, spent_on=day, amount=f"{cents // 100}.{cents % 100:02}"))
        else:
            sent.append(time_entry(**known, work_date=day, quantity=change["quantity"]))
    return sent


def by_month(sent: list[Object], kind: str) -> dict[int, int]:
    """Cents of the last version of each entry that is approved and not withdrawn, at 100 an hour."""
    decided = {entry["id"]: entry for entry in sent if entry["status"] != "submitted" and kind in entry}
    work = dict.fromkeys(MONTHS, 0)
    for entry in decided.values():
        if entry["status"] == "approved":
            day = entry["work_date"] if kind == "quantity" else entry["spent_on"]
            work[int(day[5:7])] += (
                sums.minor(entry["quantity"], "KWD") * 10 if kind == "quantity" else sums.minor(entry["amount"])
            )
    return work


def refilled(refill: Object | None, month: int, balance: int, work: int) -> int:
    """What a refill brings in a month that begins with this balance."""
    if refill is None:
        return 0
    threshold, brought = sums.minor(refill["threshold"]), 0
    if "up_to" in refill:
        return sums.minor(refill["up_to"]) - balance if month > MONTHS[0] and balance < threshold else 0
    while balance + brought - work < threshold:
        brought += sums.minor(refill["amount"])
    return brought


def expected(agreed: Object, sent: list[Object]) -> dict[str, int]:
    """What the customer owes, what is earned, left and held, in cents, month by month."""
    fee, drawdown = sums.minor(agreed["fee"]["amount"]), agreed["fee"]["drawdown"]
    refill = drawdown.get("refill")
    spent = by_month(sent, "amount")
    balance = waits = 0
    owed = earned = 0 if drawdown["includes_expenses"] else sum(spent.values())
    for month, hours in by_month(sent, "quantity").items():
        worked = hours + (spent[month] if drawdown["includes_expenses"] else 0)
        prepaid = fee if refill is None or month == MONTHS[0] else 0
        due = worked + waits
        prepaid += refilled(refill, month, balance + prepaid, due)
        over = max(0, due - balance - prepaid)
        balance += prepaid - (due - over)
        owed += prepaid + (over if drawdown["overage"] == "bill" else 0)
        earned += due - (0 if drawdown["overage"] == "bill" else over)
        waits = over if drawdown["overage"] == "hold" else 0
        ending = drawdown["rest"] if month == MONTHS[-1] and drawdown["rest"] != "keep" else drawdown["unused"]
        if ending != "roll_over":
            earned, owed = (earned + balance, owed) if ending == "expire" else (earned, owed - balance)
            balance = 0
    return {"owed": owed, "earned": earned, "left": balance, "deferred": balance, "held": waits}


def found(task: Task) -> dict[str, int]:
    """The same from the figures."""
    figures = {name: sums.minor(text) for name, text in task.figures().items() if name in {"billed", "fees", "earned", "deferred", "prepaid_balance", "held"}}  # fmt: skip
    return {
        "owed": figures["billed"] + figures["fees"],
        "earned": figures["earned"],
        "left": figures["prepaid_balance"],
        "deferred": figures["deferred"],
        "held": figures["held"],
    }


class Open:
    """Watches that nothing is posted to a month that is not open (M6)."""

    def __init__(self) -> None:
        self.months: set[str] = set()
        self.seen = Counter[str]()

    def look(self, task: Task, stream: str, record: Object) -> None:
        """Take a record in, and look at what has left since the last look."""
        if stream == "periods":
            month = record["start_date"][:7]
            (self.months.add if record["status"] == "open" else self.months.discard)(month)
        for name in ("billing", "accruals", "revenue"):
            assert {event["accounting_date"][:7] for event in task.out[name][self.seen[name] :]} <= self.months
            self.seen[name] = len(task.out[name])


def mixed(agreed: list[Object], sent: list[Object], statuses: list[tuple[int, str]], chance: Random) -> list[Step]:
    """Everything in some order; revisions of one thing keep theirs. At last every month is open."""
    months = [CALENDAR[at] | {"status": status} for at, status in statuses] + CALENDAR
    streams: list[list[Step]] = [
        [("periods", month | {"revision": at}) for at, month in enumerate(months, 1)],
        [("resources", resource())],
        [("rate-cards", rate_card())],
        [("engagements", terms | {"revision": at}) for at, terms in enumerate(agreed, 1)],
        [("time-entries", entry) for entry in sent if "quantity" in entry],
        [("expenses", spent) for spent in sent if "quantity" not in spent],
    ]
    turns = [at for at, stream in enumerate(streams) for _ in stream]
    chance.shuffle(turns)
    left = [iter(stream) for stream in streams]
    return [next(left[at]) for at in turns]


@given(
    st.lists(agreements, min_size=1, max_size=3),
    st.lists(versions, max_size=8),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["open", "open", "closed", "future"])), max_size=5),
    st.randoms(use_true_random=False),
    st.integers(0, 3),
)
def test_any_order_gives_the_same_balance(
    agreed: list[Object], changes: list[Object], statuses: list[tuple[int, str]], chance: Random, restart_every: int
) -> None:
    """The last terms and the latest versions alone decide, and after every record the books are right (M3, M4, M6, M9)."""
    sent, task, months = entries(changes), Task(), Open()
    for count, (stream, record) in enumerate(mixed(agreed, sent, statuses, chance), 1):
        if stream in {"periods", "resources", "rate-cards"}:
            task.refer(stream, record)
        else:
            task.send(stream, record)
        if restart_every and count % restart_every == 0:
            task.restart()
        sums.figures_are_sums(task)
        sums.holds_end_once(task)
        months.look(task, stream, record)
    sums.journals_balance(task)
    sums.ids_are_unique(task)

    assert found(task) == expected(agreed[-1], sent)
