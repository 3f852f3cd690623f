"""The API's reports: statistics of journeys and of messages, and the people behind every number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import Field

from parcours.accounts.access import Actor, find
from parcours.events import watermark
from parcours.journeys.models import Journey, Version
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.paging import Paging
from parcours.lib.problems import Invalid, NotFound
from parcours.messaging.models import Message
from parcours.reports import answers, messages
from parcours.reports.filters import RunFilter, parse_filter
from parcours.reports.readings import after

router = Router(tags=["reports"])
_CSV_PAGE = 1000


class Reading(Paging):
    """A page of a list read at an instant, for the runs chosen by entry and version."""

    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)
    version: str = Field("", max_length=10)
    as_of: str = Field("", max_length=40)


class StepReading(Reading):
    now: bool = False
    state: Literal["", "waiting", "failed"] = ""


class StateReading(Reading):
    state: Literal["entered", "active", "completed", "exited", "failed", "holdout", "goals"] = "entered"
    reason: Literal["", "goal", "exit", "archived", "removed", "merged"] = ""


class MessageReading(Paging):
    metric: str = Field("recipients", max_length=40)
    journey: str = Field("", max_length=20)
    machines: bool = False
    as_of: str = Field("", max_length=40)


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def chosen_runs(actor: Actor, reading: Reading) -> RunFilter:
    """The filter that a reading asks for."""
    return parse_filter(actor.account, since=reading.since, until=reading.until, version=reading.version)


def step_of(journey: Journey, step: str) -> dict[str, Any]:
    """A step of the journey, in any of its versions or in its draft. Raises NotFound."""
    documents = [version.document for version in Version.objects.filter(journey=journey).order_by("-number")]
    for document in [*documents, journey.draft or {}]:
        for each in document.get("steps", []):
            if each.get("id") == step:
                return dict(each)
    raise NotFound(_("This journey has no such step."))


def scope_of(actor: Actor, message: Message, reading: MessageReading) -> messages.Scope:
    """The sends that a reading of a message's report is about."""
    journey = find(Journey, reading.journey, actor=actor).pk if reading.journey else 0
    return messages.Scope(
        actor.account_id,
        [message.pk],
        journey=journey,
        machines=reading.machines,
        currency=actor.account.currency,
        window=actor.account.attribution_days,
    )


@router.get("/journeys/{journey_id}/statistics", summary="Every counter of a journey and of its steps")
def read_statistics(request: HttpRequest, journey_id: str, reading: Query[Reading]) -> Any:
    actor = _actor(request)
    journey = find(Journey, journey_id, actor=actor)
    mark = watermark.asked(actor.account_id, reading.as_of)
    return answers.statistics(journey, mark=mark, chosen=chosen_runs(actor, reading))


@router.get("/journeys/{journey_id}/statistics.csv", summary="The same as CSV")
def read_statistics_csv(request: HttpRequest, journey_id: str, reading: Query[Reading]) -> Any:
    actor = _actor(request)
    journey = find(Journey, journey_id, actor=actor)
    mark = watermark.asked(actor.account_id, reading.as_of)
    told = answers.statistics(journey, mark=mark, chosen=chosen_runs(actor, reading))
    columns = ("id", "type", "name", "passages", "contacts", "waiting", "failed")
    rows = ([step[column] for column in columns] for step in told["steps"])
    return csv_response(request, f"journey-{journey.pk}-statistics.csv", columns, rows)


@router.get("/journeys/{journey_id}/steps/{step}/contacts", summary="Who passed a step, or stands there now")
def read_step_contacts(request: HttpRequest, journey_id: str, step: str, reading: Query[StepReading]) -> Any:
    actor = _actor(request)
    journey = find(Journey, journey_id, actor=actor)
    step_of(journey, step)
    mark, chosen = watermark.asked(actor.account_id, reading.as_of), chosen_runs(actor, reading)
    return _step_page(journey, step, reading, mark, chosen, reading.cursor, reading.limit)


def _step_page(journey, step, reading, mark, chosen, cursor, limit):
    key: Any = after(cursor, int, int)
    if reading.now or reading.state:
        parked = reading.state == "failed"
        return answers.step_present(
            journey, step, parked=parked, mark=mark, chosen=chosen, after=key, limit=limit
        )
    return answers.step_contacts(journey, step, mark=mark, chosen=chosen, after=key, limit=limit)


@router.get("/journeys/{journey_id}/steps/{step}/contacts.csv", summary="The same as CSV, whole")
def read_step_contacts_csv(
    request: HttpRequest, journey_id: str, step: str, reading: Query[StepReading]
) -> Any:
    actor = _actor(request)
    journey = find(Journey, journey_id, actor=actor)
    step_of(journey, step)
    mark, chosen = watermark.asked(actor.account_id, reading.as_of), chosen_runs(actor, reading)
    present = reading.now or reading.state
    columns = ("contact", "email", "name") + (
        ("since", "entered_at") if present else ("passages", "first_at", "last_at")
    )

    def page(cursor: str) -> dict[str, Any]:
        return _step_page(journey, step, reading, mark, chosen, cursor, _CSV_PAGE)

    return csv_response(request, f"journey-{journey.pk}-{step}.csv", columns, all_rows(page, columns))


@router.get("/journeys/{journey_id}/contacts", summary="The runs behind a figure of a journey")
def read_state_contacts(request: HttpRequest, journey_id: str, reading: Query[StateReading]) -> Any:
    actor = _actor(request)
    journey = find(Journey, journey_id, actor=actor)
    return answers.state_contacts(
        journey,
        reading.state,
        reason=reading.reason,
        mark=watermark.asked(actor.account_id, reading.as_of),
        chosen=chosen_runs(actor, reading),
        after=after(reading.cursor, int, int),
        limit=reading.limit,
    )


@router.get("/messages/{message_id}/report", summary="The metrics of a message")
def read_message_report(request: HttpRequest, message_id: str, reading: Query[MessageReading]) -> Any:
    actor = _actor(request)
    message = find(Message, message_id, actor=actor)
    return answers.message_report(
        scope_of(actor, message, reading), mark=watermark.asked(actor.account_id, reading.as_of)
    )


@router.get("/messages/{message_id}/report.csv", summary="The metrics of a message as CSV")
def read_message_report_csv(request: HttpRequest, message_id: str, reading: Query[MessageReading]) -> Any:
    actor = _actor(request)
    message = find(Message, message_id, actor=actor)
    mark = watermark.asked(actor.account_id, reading.as_of)
    told = answers.message_report(scope_of(actor, message, reading), mark=mark)
    rows = ([name, "" if value is None else value] for name, value in told["metrics"].items())
    return csv_response(request, f"message-{message.pk}-report.csv", ("metric", "value"), rows)


@router.get(
    "/messages/{message_id}/report/recipients", summary="The people, sends, events or orders behind a metric"
)
def read_recipients(request: HttpRequest, message_id: str, reading: Query[MessageReading]) -> Any:
    actor = _actor(request)
    message = find(Message, message_id, actor=actor)
    key = recipients_cursor(reading.metric, reading.cursor)
    return answers.recipients(
        scope_of(actor, message, reading),
        reading.metric,
        mark=watermark.asked(actor.account_id, reading.as_of),
        after=key,
        limit=reading.limit,
    )


def recipients_cursor(metric: str, cursor: str) -> Any:
    """The sort key of a page of recipients. Raises Invalid for a metric that no list is behind."""
    if metric not in messages.METRICS:
        detail = _("There is no list behind “%(metric)s”.") % {"metric": metric}
        raise Invalid(detail, [{"pointer": "/metric", "detail": detail}])
    return after(cursor, int, int if messages.key_of(metric) == "contact" else str)


def all_rows(page: Callable[[str], dict[str, Any]], columns: tuple[str, ...]) -> Iterator[list[Any]]:
    """Every row of a list, page after page, all read at one instant."""
    cursor = ""
    while True:
        told = page(cursor)
        for item in told["items"]:
            yield [item[column] for column in columns]
        if not told["next"]:
            return
        cursor = told["next"]


def csv_response(
    request: HttpRequest, name: str, columns: tuple[str, ...], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """A CSV file to keep, streamed."""
    lines = csv_lines(columns, rows)
    return streamed(request, lines, content_type="text/csv; charset=utf-8", filename=name)
