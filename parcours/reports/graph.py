"""A journey as the canvas draws it: its steps with their numbers and where these open, its lines, the latest moves."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from parcours.contacts.models import List
from parcours.events import catalogue
from parcours.events.watermark import Watermark
from parcours.journeys.models import Journey
from parcours.lib.durations import DurationError, split_duration
from parcours.lib.instants import from_ms, iso
from parcours.messaging.models import Message
from parcours.reports import journeys
from parcours.reports.answers import document_of
from parcours.reports.filters import RunFilter
from parcours.ui import formats

ENTRY = "*entry"
_RECENT_LOADS = 200

#: type of step -> its name.
TYPES: dict[str, Promise | str] = {
    "delay": gettext_lazy("Delay"),
    "delay_until": gettext_lazy("Delay until"),
    "wait_for": gettext_lazy("Wait for"),
    "condition": gettext_lazy("Condition"),
    "branch": gettext_lazy("Branch"),
    "split": gettext_lazy("Split"),
    "send_email": gettext_lazy("Send an e-mail"),
    "send_sms": gettext_lazy("Send an SMS"),
    "send_whatsapp": gettext_lazy("Send a WhatsApp message"),
    "update_contact": gettext_lazy("Update the contact"),
    "add_to_list": gettext_lazy("Add to a list"),
    "remove_from_list": gettext_lazy("Remove from a list"),
    "add_tag": gettext_lazy("Add a tag"),
    "remove_tag": gettext_lazy("Remove a tag"),
    "set_consent": gettext_lazy("Set a consent"),
    "update_deal": gettext_lazy("Update the deal"),
    "webhook": gettext_lazy("Webhook"),
    "notify": gettext_lazy("Notify"),
    "enter_journey": gettext_lazy("Enter a journey"),
    "exit_journey": gettext_lazy("Leave a journey"),
    "end": gettext_lazy("End"),
}
_WAYS: dict[str, tuple[tuple[str, Promise | str], ...]] = {
    "condition": (("then", gettext_lazy("Yes")), ("else", gettext_lazy("No"))),
    "wait_for": (("then", gettext_lazy("Done")), ("else", gettext_lazy("Time is up"))),
}


def type_label(kind: str) -> str:
    """What a type of step is called."""
    return str(TYPES.get(kind, kind))


def duration_text(text: str) -> str:
    """A duration as one says it: "2d" is 2 days."""
    try:
        number, unit = split_duration(text)
    except DurationError:
        return text
    words = {
        "s": ngettext("%(n)s second", "%(n)s seconds", number),
        "m": ngettext("%(n)s minute", "%(n)s minutes", number),
        "h": ngettext("%(n)s hour", "%(n)s hours", number),
        "d": ngettext("%(n)s day", "%(n)s days", number),
        "w": ngettext("%(n)s week", "%(n)s weeks", number),
    }
    return words[unit] % {"n": formats.number(number)}


def canvas(
    journey: Journey,
    read: journeys.JourneyFigures,
    *,
    mark: Watermark,
    chosen: RunFilter,
    kept: dict[str, str],
) -> dict[str, Any]:
    """The journey as `frontend/src/canvas/README.md` describes it; `kept` are the filter's parameters."""
    document = document_of(journey, chosen.version)
    as_of = iso(mark.as_of)
    names = _Names(journey, document)
    link = _Links(journey, kept={**kept, "as_of": as_of})
    steps = [
        {
            "id": ENTRY,
            "type": "entry",
            "type_name": _("Entry"),
            "name": journey.name,
            "summary": names.triggers(),
            "passages": read.entered,
            "waiting": 0,
            "failed": 0,
            "lists": {"passages": link.runs("entered")} if read.entered else {},
        }
    ]
    edges: list[dict[str, Any]] = (
        [{"from": ENTRY, "to": document["start"], "count": read.flows.get(("", document["start"]), 0)}]
        if document.get("start")
        else []
    )
    for step in document.get("steps", []):
        steps.append(_step(step, read.steps.get(step["id"], journeys.StepFigures()), names, link, journey))
        edges += _edges(step, read)
    return {
        "as_of": as_of,
        "as_of_text": _("up to date at %(hour)s") % {"hour": formats.hour(mark.as_of, seconds=True)},
        "steps": steps,
        "edges": edges,
        "moves": _moves(journey, mark),
    }


def _step(
    step: dict[str, Any], figures: journeys.StepFigures, names: _Names, link: _Links, journey: Journey
) -> dict[str, Any]:
    name = step.get("name") or type_label(step["type"])
    told: dict[str, Any] = {
        "id": step["id"],
        "type": step["type"],
        "type_name": type_label(step["type"]),
        "name": name,
        "summary": names.summary(step, name),
        "passages": figures.passages,
        "waiting": figures.waiting,
        "failed": figures.failed,
        "lists": {
            state: link.step(step["id"], "" if state == "passages" else state)
            for state in ("passages", "waiting", "failed")
            if getattr(figures, state)
        },
    }
    if step["type"] == "send_email":
        message = step["message"]
        told["preview"] = reverse("messages:preview", args=[message])
        told["statistics"] = reverse("reports:quick_view", args=[message]) + f"?journey={journey.pk}"
        told["report"] = reverse("reports:message", args=[message]) + f"?journey={journey.pk}"
    return told


def _edges(step: dict[str, Any], read: journeys.JourneyFigures) -> list[dict[str, Any]]:
    ways = _WAYS.get(step["type"], (("next", ""),))
    edges: list[dict[str, Any]] = []
    for field, label in ways:
        to = step.get(field) or step.get("next")
        if not to:
            continue
        edge: dict[str, Any] = {"from": step["id"], "to": to}
        if label:
            edge["label"] = str(label)
        if all(other["to"] != to for other in edges):
            edge["count"] = read.flows.get((step["id"], to), 0)
        edges.append(edge)
    return edges


def _moves(journey: Journey, mark: Watermark) -> list[dict[str, Any]]:
    recent = journeys.recent_moves(journey, mark=mark, after_load=max(0, mark.load - _RECENT_LOADS))
    return [
        {
            "contact": str(row["contact"]),
            "from": row["from_step"] or ENTRY,
            "to": row["step"],
            "at": iso(from_ms(row["at_ms"])),
        }
        for row in recent
    ]


class _Links:
    """Where the numbers open: a fragment for the side panel, and the same as a page."""

    def __init__(self, journey: Journey, *, kept: dict[str, str]) -> None:
        self.journey, self.kept = journey, kept

    def step(self, step: str, state: str) -> dict[str, str]:
        return self._list(reverse("reports:step", args=[self.journey.pk, step]), state)

    def runs(self, state: str) -> dict[str, str]:
        return self._list(reverse("reports:runs", args=[self.journey.pk]), state)

    def _list(self, path: str, state: str) -> dict[str, str]:
        query = urlencode({**self.kept, **({"state": state} if state else {})})
        return {"url": f"{path}?{query}", "page": f"{path}?{query}"}


class _Names:
    """The names of what the document mentions, read once."""

    def __init__(self, journey: Journey, document: dict[str, Any]) -> None:
        self.document = document
        self.language = get_language() or "en"
        steps = document.get("steps", [])
        triggers = document.get("entry", {}).get("triggers", [])
        lists = {_number(each.get("list")) for each in [*steps, *triggers]}
        segments = {_number(each.get("segment")) for each in triggers}
        messages = {_number(step.get("message")) for step in steps}
        account = {"account_id": journey.account_id}
        self.lists = dict(List.objects.filter(pk__in=lists - {0}, **account).values_list("pk", "name"))
        self.messages = dict(
            Message.objects.filter(pk__in=messages - {0}, **account).values_list("pk", "name")
        )
        self.segments = dict(journey.account.segments.filter(pk__in=segments - {0}).values_list("pk", "name"))

    def triggers(self) -> str:
        """What lets contacts in."""
        return " · ".join(
            filter(None, map(self._trigger, self.document.get("entry", {}).get("triggers", [])))
        )

    def _trigger(self, trigger: dict[str, Any]) -> str:
        kind = trigger.get("type")
        if kind == "list_joined":
            return _("Joins the list “%(name)s”") % {"name": self.lists.get(_number(trigger.get("list")), "")}
        if kind == "segment_entered":
            name = self.segments.get(_number(trigger.get("segment")), "")
            return _("Enters the segment “%(name)s”") % {"name": name}
        if kind == "event":
            return catalogue.label(trigger.get("event", ""), self.language)
        return {"manual": _("By hand"), "api": _("By a program")}.get(str(kind), str(kind))

    def summary(self, step: dict[str, Any], name: str) -> str:
        """What a step does, in a few words; nothing when its name says the same."""
        said = self._does(step)
        return "" if said.casefold() == name.casefold() else said

    def _does(self, step: dict[str, Any]) -> str:
        kind = step["type"]
        if kind == "delay":
            return duration_text(step["for"])
        if kind == "wait_for":
            what = catalogue.label(step["event"], self.language) if step.get("event") else _("Criteria")
            return f"{what} · {duration_text(step['timeout'])}" if step.get("timeout") else what
        if kind == "send_email":
            return self.messages.get(_number(step.get("message")), "")
        if kind in ("add_to_list", "remove_from_list"):
            return self.lists.get(_number(step.get("list")), "")
        if kind == "update_contact":
            fields = [*(step.get("set") or {}), *(step.get("unset") or []), *(step.get("increment") or {})]
            return ", ".join(field.removeprefix("attributes.") for field in fields)
        return ""


def _number(id: object) -> int:
    text = str(id)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
