"""Computes every figure in a second way and compares.

What a page shows comes from the event store. The second ways are the counters that the engine keeps in its own
transactions, the rows of the state database (runs, sends), the events themselves, the lists behind the figures and,
for segments, the criteria evaluated anew. The orders credited to messages are credited again, one by one.

An installation at work moves while it is read. The state database is therefore read before the store, which by then
has digested all of it, and again after: a figure that only grows must lie between the two, and one that goes up and
down is compared when nothing moved meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q

from parcours.accounts.models import Account
from parcours.commerce import amounts
from parcours.events import watermark
from parcours.events.store import queries
from parcours.events.watermark import Watermark
from parcours.journeys.models import Enrolment, Journey, StepCount
from parcours.lib.problems import Invalid
from parcours.messaging.models import Message, Send
from parcours.reports import crediting, journeys, messages
from parcours.reports.filters import RunFilter
from parcours.segments import compute
from parcours.segments import members as segments
from parcours.segments.models import Flips, Segment, Stirred

_PAGE = 50_000
_TRIES = 3
_EVERY = RunFilter()
Sums = Counter[str]
Number = int | float
#: The state database keeps amounts to ten-thousandths, the store what was said: each may be off by half of one.
_ROUNDED = Decimal("0.00005")


class NotDigested(RuntimeError):
    """The store does not hold yet what was accepted: nothing can be compared."""


@dataclass(frozen=True)
class Difference:
    """A figure that two computations do not agree on; `expected` has two ends when the second way moved meanwhile."""

    figure: str
    shown: Number
    expected: tuple[Number, Number]
    by: str


@dataclass
class Finding:
    """What comparing one journey, message or segment, or an account's orders, gave; `unsettled` says why some of it
    could not be compared."""

    kind: str
    id: str
    name: str
    compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    unsettled: str = ""

    def compare(self, figure: str, shown: Number, low: Number, high: Number, *, by: str) -> None:
        """Hold a figure against what another way found."""
        self.compared += 1
        if not low <= shown <= high:
            self.differences.append(Difference(figure, shown, (low, high), by))

    def compare_all(self, shown: Sums, before: Sums, after: Sums, *, by: str) -> None:
        """Hold figures against what another way found before and after them."""
        for figure in sorted({*shown, *before, *after}):
            self.compare(figure, shown[figure], before[figure], after[figure], by=by)


def verify(account: Account, *, seconds: float = 60) -> Iterator[Finding]:
    """Compare every figure of an account: one journey, message or segment after the other, and its orders.

    Raises NotDigested when what was accepted is not in the store after `seconds`.
    """
    for journey in Journey.objects.filter(account=account, version__gt=0).order_by("pk").iterator():
        yield verify_journey(journey, seconds=seconds)
    for message in Message.objects.filter(account=account, channel="email").order_by("pk").iterator():
        yield verify_message(message, seconds=seconds)
    yield verify_orders(account, seconds=seconds)
    for segment in Segment.objects.filter(account=account).order_by("pk").iterator():
        yield verify_segment(segment, seconds=seconds)


def _digested(account_id: int, seconds: float) -> Watermark:
    if not watermark.wait_digested(account_id, seconds):
        raise NotDigested(f"Account {account_id}: what was accepted is not digested after {seconds:.0f} s.")
    return watermark.current(account_id)


def verify_journey(journey: Journey, *, seconds: float = 60) -> Finding:
    """The figures of a journey and of its steps against the engine's counters, the runs, the events and the lists."""
    for attempt in range(1, _TRIES + 1):
        counted, standing = _counters(journey), _runs(journey)
        mark = _digested(journey.account_id, seconds)
        shown = journeys.figures(journey, mark=mark)
        counted_after, standing_after = _counters(journey), _runs(journey)
        still = counted == counted_after and standing == standing_after
        if still or attempt == _TRIES:
            break
    finding = Finding("journey", str(journey.pk), journey.name)
    sums, here = _shown(shown)
    finding.compare_all(sums, counted, counted_after, by="counters")
    ends, ends_after = _only_growing(standing), _only_growing(standing_after)
    ended = Counter({figure: sums[figure] for figure in {*ends, *ends_after, "entered", "completed"}})
    finding.compare_all(ended, ends, ends_after, by="runs")
    finding.compare_all(sums, *2 * (_events(journey, mark),), by="events")
    balance = shown.active + shown.completed + shown.exited_total + shown.failed
    finding.compare("entered", shown.entered, balance, balance, by="active + completed + exited + failed")
    if still:
        places = Counter({figure: n for figure, n in standing.items() if figure.startswith("steps.")})
        finding.compare_all(here, places, places, by="runs")
    else:
        finding.unsettled = "runs moved while they were counted"
    _journey_lists(finding, journey, shown, mark)
    return finding


def _shown(shown: journeys.JourneyFigures) -> tuple[Sums, Sums]:
    """The figures that only grow, and those of who stands where."""
    sums: Sums = Counter({"entered": shown.entered, "completed": shown.completed, "holdout": shown.holdout})
    sums.update({f"exited.{reason}": runs for reason, runs in shown.exited.items()})
    here: Sums = Counter()
    for id, step in shown.steps.items():
        sums[f"steps.{id}.passages"] = step.passages
        here[f"steps.{id}.waiting"], here[f"steps.{id}.failed"] = step.waiting, step.failed
    return sums, here


def _counters(journey: Journey) -> Sums:
    """The engine's own counters, under the names of the figures."""
    sums: Sums = Counter()
    for step, passages in StepCount.objects.filter(journey=journey).values_list("step", "passages"):
        figure = f"steps.{step}.passages"
        if step.startswith("*"):
            figure = step[1:].replace(":", ".")
        sums[figure] += passages
    return sums


def _runs(journey: Journey) -> Sums:
    """What the rows of the runs say: how many there are, how they ended, where they stand."""
    sums: Sums = Counter()
    status = Enrolment.Status
    grouped = Enrolment.objects.filter(journey=journey).values_list("status", "reason", "step")
    for state, reason, step, runs in grouped.annotate(runs=Count("pk")).order_by():
        if state == status.HOLDOUT:
            sums["holdout"] += runs
            continue
        sums["entered"] += runs
        if state == status.EXITED:
            sums[f"exited.{reason}"] += runs
        elif state == status.COMPLETED:
            sums["completed"] += runs
        else:
            sums[f"steps.{step}.{'waiting' if state == status.ACTIVE else 'failed'}"] += runs
    return sums


def _only_growing(sums: Sums) -> Sums:
    return Counter({figure: n for figure, n in sums.items() if not figure.startswith("steps.")})


def _events(journey: Journey, mark: Watermark) -> Sums:
    """What the events say, whose rows are others than those that figures are read from."""
    sums: Sums = Counter()
    scope = {"account": journey.account_id, "journey": journey.pk, "load": mark.load}
    for row in queries.run("verify_journey_events", scope):
        if row["kind"] == "step":
            sums[f"steps.{row['place']}.passages"] += row["runs"]
        else:
            sums[row["kind"] + (f".{row['why']}" if row["kind"] == "exited" else "")] += row["runs"]
    return sums


def _journey_lists(
    finding: Finding, journey: Journey, shown: journeys.JourneyFigures, mark: Watermark
) -> None:
    """Every figure is the length of its list."""
    common: dict[str, Any] = {"mark": mark, "chosen": _EVERY, "limit": _PAGE}

    def runs(state: str) -> int:
        return _length(
            lambda after: journeys.runs_in_state(
                journey, state, reason="", after=after or (0, 0), **common
            ),
            ("at_ms", "enrolment"),
        )  # fmt: skip

    states = {
        "entered": shown.entered, "active": shown.active, "completed": shown.completed,
        "exited": shown.exited_total, "failed": shown.failed, "holdout": shown.holdout, "goals": shown.goals,
    }  # fmt: skip
    for state, number in states.items():
        length = runs(state)
        finding.compare(state, number, length, length, by="list")
    for id, step in shown.steps.items():
        passages = Counter[str]()

        def passed(after: Any, id: str = id, passages: Counter[str] = passages) -> list[dict[str, Any]]:
            rows = journeys.step_contacts(journey, id, after=after or (0, 0), **common)
            passages["all"] += sum(row["passages"] for row in rows)
            return rows

        length = _length(passed, ("last_at", "contact"))
        finding.compare(f"steps.{id}.contacts", step.contacts, length, length, by="list")
        total = passages["all"]
        finding.compare(f"steps.{id}.passages", step.passages, total, total, by="list")
        for parked, number in ((False, step.waiting), (True, step.failed)):

            def present(after: Any, id: str = id, parked: bool = parked) -> list[dict[str, Any]]:
                return journeys.step_present(journey, id, parked=parked, after=after or (0, 0), **common)

            length = _length(present, ("at_ms", "enrolment"))
            finding.compare(
                f"steps.{id}.{'failed' if parked else 'waiting'}", number, length, length, by="list"
            )


def _length(page: Callable[[Any], list[dict[str, Any]]], keys: tuple[str, str]) -> int:
    """How long a list is, read to its end."""
    total, after = 0, None
    while True:
        rows = page(after)
        total += len(rows)
        if len(rows) < _PAGE:
            return total
        after = tuple(rows[-1][key] for key in keys)


def verify_message(message: Message, *, seconds: float = 60) -> Finding:
    """The metrics of a message against the rows of its sends and the lists behind them."""
    finding = Finding("message", str(message.pk), message.name)
    before = _sends(message)
    mark = _digested(message.account_id, seconds)
    scope = messages.Scope(message.account_id, [message.pk])
    told = messages.metrics(scope, mark=mark)
    own = {"account": message.account_id, "message": message.pk, "load": mark.load}
    finding.compare_all(Counter(queries.run("verify_sends", own)[0]), before, _sends(message), by="sends")
    for metric in (*messages.SENDS, *messages.PEOPLE, *messages.EVENTS):
        number = told[metric]
        if metric == "clicks_per_unique_open" or number is None:
            continue
        key = "send" if metric in messages.SENDS else "contact" if metric in messages.PEOPLE else "message_id"

        def listed(after: Any, metric: str = metric) -> list[dict[str, Any]]:
            return messages.recipients(scope, metric, mark=mark, after=after, limit=_PAGE)

        length = _length(listed, ("at_ms", key))
        finding.compare(metric, int(number), length, length, by="list")
    return finding


def _sends(message: Message) -> Sums:
    gone = (Send.Status.SENT, Send.Status.REFUSED, Send.Status.UNKNOWN)
    rows = Send.objects.filter(message=message, is_test=False, status__in=gone)
    return Counter(rows.aggregate(sends=Count("pk"), bounces=Count("pk", filter=Q(bounced_at__isnull=False))))


def verify_orders(account: Account, *, seconds: float = 60) -> Finding:
    """What each message earned, and the lists behind it, against the orders credited anew, one by one."""
    for attempt in range(1, _TRIES + 1):
        mark = _digested(account.pk, seconds)
        finding = _orders_at(account, mark)
        moved = not watermark.digested(account.pk) or watermark.current(account.pk).load != mark.load
        if not (finding.differences and moved):
            break
        if attempt == _TRIES:
            finding.differences, finding.unsettled = [], "orders moved while they were counted"
    return finding


def _orders_at(account: Account, mark: Watermark) -> Finding:
    finding = Finding("orders", str(account.pk), account.name)
    credited = crediting.credits(account, mark)
    own, days = account.currency, account.attribution_days
    for message in Message.objects.filter(account=account, channel="email").order_by("pk"):
        scope = messages.Scope(account.pk, [message.pk], currency=own, window=days)
        shown = messages.figures(scope, mark=mark)
        if shown.metrics["orders"] is not None:  # Else nothing of it is tracked.
            credit = credited.get(message.pk, crediting.Credit())
            _compare_orders(finding, scope, mark, shown, credit)
    return finding


def _compare_orders(
    finding: Finding,
    scope: messages.Scope,
    mark: Watermark,
    shown: messages.Figures,
    credit: crediting.Credit,
) -> None:
    def length(metric: str) -> int:
        return _length(
            lambda after: messages.recipients(scope, metric, mark=mark, after=after, limit=_PAGE),
            ("at_ms", messages.key_of(metric)),
        )

    def compare(figure: str, number: Any, low: Number, high: Number) -> None:
        finding.compare(f"messages.{scope.messages[0]}.{figure}", number, low, high, by="orders")

    compare("orders", shown.metrics["orders"], credit.orders, credit.orders)
    compare("list of orders", length("orders"), credit.orders, credit.orders)
    compare("list of order_rate", length("order_rate"), len(credit.sends), len(credit.sends))
    revenue = {scope.currency: shown.metrics["revenue"], **shown.other_currencies}
    sums = [("net_revenue", shown.metrics["net_revenue"], credit.net[scope.currency])]
    for currency in sorted({*revenue, *credit.amounts}):
        sums.append((f"revenue.{currency}", revenue.get(currency), credit.amounts[currency]))
    slack = credit.orders * _ROUNDED
    for figure, amount, wanted in sums:
        low, high = (amounts.plain(amounts.cents(wanted + by)) for by in (-slack, slack))
        compare(figure, amounts.plain(Decimal(amount or 0)), low, high)


def verify_segment(segment: Segment, *, seconds: float = 60) -> Finding:
    """The figures of a segment against its list, and its members against its criteria, evaluated anew."""
    deadline = time.monotonic() + seconds
    while True:
        mark = _digested(segment.account_id, seconds)
        finding = _segment_now(segment, mark)
        if not (finding.differences or finding.unsettled) or time.monotonic() > deadline:
            return finding
        if segment.status == Segment.Status.PAUSED:
            return finding
        time.sleep(0.2)
        segment.refresh_from_db()


def _segment_now(segment: Segment, mark: Watermark) -> Finding:
    finding = Finding("segment", str(segment.pk), segment.name)
    opted: Sums = Counter()
    after: segments.Place | None = None
    while True:
        page = segments.members(segment, load=segment.figures_load, limit=_PAGE, after=after)
        opted["profiles"] += len(page)
        opted["email_opt_ins"] += sum(member.email_opt_in for member in page)
        opted["sms_opt_ins"] += sum(member.sms_opt_in for member in page)
        if len(page) < _PAGE:
            break
        after = page[-1].place
    for figure, number in opted.items():
        finding.compare(figure, getattr(segment, figure), number, number, by="list")
    if segment.status == Segment.Status.PAUSED:
        return finding
    if segment.computed_at is None or segment.settling_at is not None:
        finding.unsettled = "it is being computed"
        return finding
    flips = Flips.objects.filter(segment=segment, due_at__lte=mark.as_of)
    if Stirred.objects.filter(account_id=segment.account_id).exists() or flips.exists():
        finding.unsettled = "contacts are being looked at again"
        return finding
    try:
        moves = compute.moves(segment, compute.parsed(segment), mark)
    except Invalid as refusal:
        finding.unsettled = refusal.detail
        return finding
    finding.compare("members missing", len(moves.entered), 0, 0, by="criteria")
    finding.compare("members too many", len(moves.left), 0, 0, by="criteria")
    return finding
