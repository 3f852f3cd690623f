"""The pages of reports: a journey's statistics, a message's, and the people behind every number."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from parcours.accounts.access import Actor, find, page
from parcours.events import watermark
from parcours.journeys.models import Journey
from parcours.lib.instants import from_ms, iso
from parcours.lib.problems import NotFound
from parcours.messaging.models import Message
from parcours.reports import answers, graph, labels, messages, orders
from parcours.reports import journeys as figures
from parcours.reports.api import MessageReading, recipients_cursor, scope_of, step_of
from parcours.reports.filters import RunFilter, parse_filter
from parcours.reports.people import people
from parcours.reports.readings import after, cut_page

_PAGE = 50
_KEPT = ("from", "to", "version")


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _chosen(request: HttpRequest) -> RunFilter:
    asked = request.GET
    return parse_filter(
        _actor(request).account, since=asked.get("from"), until=asked.get("to"), version=asked.get("version")
    )


def _kept(request: HttpRequest) -> dict[str, str]:
    """The filter's parameters, to carry over to the lists that a number opens."""
    return {name: request.GET[name] for name in _KEPT if request.GET.get(name)}


def _link(name: str, *args: object, **parameters: object) -> str:
    query = urlencode({key: value for key, value in parameters.items() if value})
    return reverse(f"reports:{name}", args=args) + (f"?{query}" if query else "")


def _fragment(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


@require_safe
@page
def journey(request: HttpRequest, journey_id: str) -> HttpResponse:
    """Statistics: the journey drawn as a graph, with its numbers."""
    actor = _actor(request)
    found = find(Journey, journey_id, actor=actor)
    mark, chosen = watermark.asked(actor.account_id, request.GET.get("as_of")), _chosen(request)
    read = figures.figures(found, mark=mark, chosen=chosen)
    told = answers.statistics(found, mark=mark, chosen=chosen, found=read)
    return render(
        request,
        "reports/journey.html",
        {
            "journey": found,
            "as_of": mark.as_of,
            "tiles": _tiles(found, told, iso(mark.as_of), _kept(request)),
            "graph": graph.canvas(found, read, mark=mark, chosen=chosen, kept=_kept(request)),
            "graph_url": _link("canvas", found.pk, **_kept(request)),
            "asked": request.GET,
            "versions": list(range(found.version, 0, -1)) if found.version > 1 else [],
            "csv": f"/api/v1/journeys/{found.pk}/statistics.csv?"
            + urlencode({**_kept(request), "as_of": iso(mark.as_of)}),
        },
    )


def _tiles(journey: Journey, told: dict[str, Any], as_of: str, kept: dict[str, str]) -> list[dict[str, Any]]:
    """The journey's own numbers, each with the list that it opens."""
    numbers = {
        "entered": told["entered"],
        "active": told["active"],
        "completed": told["completed"],
        "exited": sum(told["exited"].values()),
        "failed": told["failed"],
    }
    if told["goals"]:
        numbers["goals"] = told["goals"]
    if told["holdout"]:
        numbers["holdout"] = told["holdout"]
    return [
        {
            "state": state,
            "label": labels.STATES[state],
            "value": value,
            "url": _link("runs", journey.pk, state=state, as_of=as_of, **kept) if value else "",
        }
        for state, value in numbers.items()
    ]


@require_safe
@page
def canvas(request: HttpRequest, journey_id: str) -> HttpResponse:
    """The graph's numbers as they are now; the canvas asks for them every few seconds."""
    actor = _actor(request)
    found = find(Journey, journey_id, actor=actor)
    mark, chosen = watermark.asked(actor.account_id, None), _chosen(request)
    read = figures.figures(found, mark=mark, chosen=chosen)
    drawn = graph.canvas(found, read, mark=mark, chosen=chosen, kept=_kept(request))
    told = answers.statistics(found, mark=mark, chosen=chosen, found=read)
    drawn["tiles"] = {
        tile["state"]: {"value": tile["value"], "url": tile["url"]}
        for tile in _tiles(found, told, iso(mark.as_of), _kept(request))
    }
    return JsonResponse(drawn)


@require_safe
@page
def runs(request: HttpRequest, journey_id: str) -> HttpResponse:
    """The runs behind one of the journey's own numbers."""
    actor = _actor(request)
    found = find(Journey, journey_id, actor=actor)
    state, reason = request.GET.get("state", "entered"), request.GET.get("reason", "")
    if state not in labels.STATES or (reason and reason not in labels.REASONS):
        raise NotFound(_("There is no such figure."))
    mark, chosen = watermark.asked(actor.account_id, request.GET.get("as_of")), _chosen(request)
    told = answers.statistics(found, mark=mark, chosen=chosen)
    key: Any = after(request.GET.get("cursor", ""), int, int)
    listed = answers.state_contacts(
        found, state, reason=reason, mark=mark, chosen=chosen, after=key, limit=_PAGE
    )
    total = told["exited"].get(reason, 0) if reason else told[state]
    if isinstance(total, dict):
        total = sum(total.values())
    names = {step["id"]: step["name"] or step["id"] for step in told["steps"]}
    for item in listed["items"]:
        item["step"] = names.get(item["step"], item["step"])
        item["reason"] = labels.REASONS.get(item["reason"] or "", "")
        _dates(item, "at", "entered_at")
    return _people_page(
        request,
        title=f"{labels.STATES[state]}",
        pretitle=found.name,
        back=_link("journey", found.pk, **_kept(request)),
        counts=[(_("runs"), total)],
        columns=("entered_at", "at", "step", "reason")
        if state in ("exited",)
        else ("entered_at", "at", "step"),
        listed=listed,
        mark=mark,
    )


@require_safe
@page
def step(request: HttpRequest, journey_id: str, step: str) -> HttpResponse:
    """The contacts who passed a step, or who stand there now."""
    actor = _actor(request)
    found = find(Journey, journey_id, actor=actor)
    drawn = step_of(found, step)
    mark, chosen = watermark.asked(actor.account_id, request.GET.get("as_of")), _chosen(request)
    key: Any = after(request.GET.get("cursor", ""), int, int)
    state = request.GET.get("state", "")
    common: dict[str, Any] = {"mark": mark, "chosen": chosen, "after": key, "limit": _PAGE}
    counts: list[tuple[str, int]]
    if state in ("waiting", "failed"):
        listed = answers.step_present(found, step, parked=state == "failed", **common)
        counts = [(_("waiting here now") if state == "waiting" else _("in error here"), listed["total"])]
        columns: tuple[str, ...] = ("since", "entered_at")
    else:
        state = ""
        listed = answers.step_contacts(found, step, **common)
        counts = [(_("contacts"), listed["contacts"]), (_("passages"), listed["passages"])]
        columns = ("passages", "first_at", "last_at")
        if listed["passages"] == listed["contacts"]:  # Once each: one instant says it all.
            columns = ("at",)
    for item in listed["items"]:
        item.setdefault("at", item.get("last_at"))
        _dates(item, *columns)
    parameters = {**_kept(request), "as_of": iso(mark.as_of), "state": state}
    return _people_page(
        request,
        title=drawn.get("name") or graph.type_label(drawn["type"]),
        pretitle=found.name,
        back=_link("journey", found.pk, **_kept(request)),
        counts=counts,
        columns=columns,
        listed=listed,
        mark=mark,
        csv=f"/api/v1/journeys/{found.pk}/steps/{step}/contacts.csv?"
        + urlencode({name: value for name, value in parameters.items() if value}),
    )


def _dates(item: dict[str, Any], *names: str) -> None:
    """Instants of an answer, back as instants for the page to write in the reader's zone."""
    for name in names:
        if isinstance(item.get(name), str) and name in ("at", "entered_at", "since", "first_at", "last_at"):
            item[name] = datetime.fromisoformat(item[name])


def _people_page(request: HttpRequest, *, listed: dict[str, Any], mark: Any, **context: Any) -> HttpResponse:
    """A list of people, whole page or the fragment that the side panel shows; further pages are rows alone."""
    query = request.GET.copy()
    query["as_of"] = iso(mark.as_of)
    query["cursor"] = listed["next"] or ""
    template = "reports/people.html"
    if _fragment(request):
        template = "reports/people_rows.html" if request.GET.get("cursor") else "reports/people_list.html"
    return render(
        request,
        template,
        {
            **context,
            "items": listed["items"],
            "as_of": mark.as_of,
            "next": f"{request.path}?{query.urlencode()}" if listed["next"] else "",
        },
    )


def _metric_tiles(
    told: dict[str, Any], shown: Any, message: Message, as_of: str, journey: str, machines: bool
) -> list[dict[str, Any]]:
    return [
        {
            "metric": metric,
            "label": labels.METRICS[metric],
            "value": told[metric],
            "ratio": metric == "clicks_per_unique_open",
            "money": metric in labels.MONEY,
            "rate_label": labels.METRICS[rate] if rate else "",
            "rate": told[rate] if rate else None,
            "has_rate": rate is not None,
            "url": _link(
                "recipients",
                message.pk,
                metric=metric,
                as_of=as_of,
                journey=journey,
                machines="true" * machines,
            )
            if told[metric]
            else "",
        }
        for metric, rate in shown
    ]


def _reading(request: HttpRequest) -> MessageReading:
    return MessageReading(
        limit=_PAGE,
        cursor="",
        as_of="",
        metric=request.GET.get("metric", "recipients"),
        journey=request.GET.get("journey", ""),
        machines=request.GET.get("machines") == "true",
    )


@require_safe
@page
def message(request: HttpRequest, message_id: str) -> HttpResponse:
    """A message's statistics, whole."""
    actor = _actor(request)
    found = find(Message, message_id, actor=actor)
    reading = _reading(request)
    scope = scope_of(actor, found, reading)
    mark = watermark.asked(actor.account_id, request.GET.get("as_of"))
    told = messages.figures(scope, mark=mark)
    channels = (
        ("engagement", labels.ENGAGEMENT),
        ("distribution", labels.DISTRIBUTION),
        ("commerce", labels.COMMERCE),
    )
    tiles = {
        name: _metric_tiles(told.metrics, shown, found, iso(mark.as_of), reading.journey, reading.machines)
        for name, shown in channels
    }
    parameters = {"as_of": iso(mark.as_of), "journey": reading.journey, "machines": "true" * reading.machines}
    return render(
        request,
        "reports/message.html",
        {
            "message": found,
            "as_of": mark.as_of,
            **tiles,
            "currency": scope.currency,
            "window": scope.window,
            "other_currencies": sorted(told.other_currencies.items()),
            "links": messages.clicks_by_link(scope, mark=mark),
            "machines": reading.machines,
            "journey": find(Journey, reading.journey, actor=actor) if reading.journey else None,
            "csv": f"/api/v1/messages/{found.pk}/report.csv?"
            + urlencode({name: value for name, value in parameters.items() if value}),
        },
    )


@require_safe
@page
def quick_view(request: HttpRequest, message_id: str) -> HttpResponse:
    """The quick view of an e-mail step: five figures, and the way to the whole."""
    actor = _actor(request)
    found = find(Message, message_id, actor=actor)
    reading = _reading(request)
    mark = watermark.asked(actor.account_id, request.GET.get("as_of"))
    told = messages.metrics(scope_of(actor, found, reading), mark=mark)
    return render(
        request,
        "reports/quick_view.html",
        {
            "message": found,
            "as_of": mark.as_of,
            "tiles": _metric_tiles(told, labels.QUICK, found, iso(mark.as_of), reading.journey, False),
        },
    )


@require_safe
@page
def recipients(request: HttpRequest, message_id: str) -> HttpResponse:
    """The people, sends or events behind a metric of a message."""
    actor = _actor(request)
    found = find(Message, message_id, actor=actor)
    reading = _reading(request)
    scope = scope_of(actor, found, reading)
    mark = watermark.asked(actor.account_id, request.GET.get("as_of"))
    key = recipients_cursor(reading.metric, request.GET.get("cursor", ""))
    rows = messages.recipients(scope, reading.metric, mark=mark, after=key, limit=_PAGE + 1)
    counted = messages.NUMERATOR.get(reading.metric, reading.metric)
    rows, cursor = cut_page(rows, limit=_PAGE, keys=("at_ms", messages.key_of(reading.metric)))
    known = people(actor.account_id, (row["contact"] for row in rows))
    items = [
        {
            "contact": known[row["contact"]].id,
            "email": known[row["contact"]].email,
            "name": known[row["contact"]].name,
            "at": from_ms(row["at_ms"]),
            "url": row.get("url", ""),
            **{name: row[name] for name in ("order_id", "amount", "currency") if name in row},
        }
        for row in rows
    ]
    # A rate or an amount is not the number of its items.
    counts = counted not in (*orders.AMOUNTS, *orders.DELIVERIES, "clicks_per_unique_open")
    told = messages.figures(scope, mark=mark) if counts else None
    total = told.metrics[counted] if told else None
    columns: tuple[str, ...] = ("at", "url") if counted == "total_clicks" else ("at",)
    if rows and "order_id" in rows[0]:
        columns = ("order", "amount", "at")
    return _people_page(
        request,
        title=labels.METRICS[reading.metric],
        pretitle=found.name,
        back=_link("message", found.pk, journey=reading.journey),
        counts=[("", total)] if total is not None else [],
        columns=columns,
        listed={"items": items, "next": cursor},
        mark=mark,
    )
