"""Parses a journey's document and checks it as a whole: every fault is found at once."""

from __future__ import annotations

import re
from typing import Any

from parcours.journeys import graph
from parcours.journeys.document import Document, Names, Trigger, Way
from parcours.journeys.reading import ValueReader, whole
from parcours.journeys.steps import LATER, TYPES
from parcours.journeys.steps.base import Kind, Step
from parcours.lib.durations import DurationError, parse_duration
from parcours.lib.problems import Fault, Invalid
from parcours.lib.translation import gettext as _

MOST_STEPS = 500
STEP_ID = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")
_TRIGGERS = {
    "list_joined": ("list",),
    "segment_entered": ("segment",),
    "event": ("event", "where", "max_age"),
    "page_visited": ("url",),
    "manual": (),
    "api": (),
}
_LATER_TRIGGERS = ("date", "recurring", "anniversary")
_SETTINGS = (
    "goal_window",
    "quiet_hours",
    "holdout",
    "ignore_cap",
    "business_unit",
    "subject",
    "recheck_filter",
)
_LATER_SETTINGS = ("goal_window", "quiet_hours", "recheck_filter")
_ENTRY = ("triggers", "filter", "mode", "reentry_after", "key", "include")
_DOCUMENT = ("name", "entry", "exit", "settings", "start", "steps")
_MAX_AGE = "24h"


def parse(document: Any, *, names: Names) -> Document:
    """The document, checked; `warnings` tell what is odd but can run. Raises Invalid with every fault."""
    reader = _Reader(names)
    parsed = reader.document(document)
    if reader.faults or parsed is None:
        raise Invalid(_("This journey cannot run as it is written."), reader.faults)
    return parsed


class _Reader(ValueReader):
    def document(self, given: Any) -> Document | None:
        if not isinstance(given, dict):
            self.fault("", _("A journey is a JSON object."))
            return None
        self.unknown(given, _DOCUMENT, "")
        name = given.get("name")
        if not isinstance(name, str) or not name.strip() or len(name) > 200:
            self.fault("/name", _("A journey needs a name of at most 200 characters."))
            name = ""
        entry = self.entry(given.get("entry"))
        exits = self.exits(given.get("exit"))
        settings = self.settings(given.get("settings"))
        steps = self.steps(given.get("steps"))
        start = given.get("start")
        if not isinstance(start, str) or start not in steps:
            self.fault("/start", _("The journey starts at a step that does not exist."))
        if self.faults:
            return None
        assert isinstance(start, str)
        for loop in graph.loops_without_waiting(steps):
            place = self._places[loop[0]]
            self.fault(
                f"/steps/{place}",
                _("These steps would turn for ever without waiting: %(steps)s.")
                % {"steps": " → ".join(self.title(steps[step]) for step in [*loop, loop[0]])},
            )
        reached = graph.reachable(start, steps)
        warnings: list[Fault] = [
            {
                "pointer": f"/steps/{self._places[step.id]}",
                "detail": _("Step “%(step)s”: no way leads here.") % {"step": self.title(step)},
            }
            for step in steps.values()
            if step.id not in reached
        ]
        return Document(
            name=name, exits=exits, settings=settings, start=start, steps=steps, warnings=warnings, **entry
        )

    @staticmethod
    def title(step: Step) -> str:
        return step.name or step.id

    def entry(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            self.fault("/entry", _("A journey needs an entry, with its triggers."))
            return {}
        self.unknown(given, _ENTRY, "/entry")
        triggers = given.get("triggers")
        if not isinstance(triggers, list) or not triggers:
            self.fault("/entry/triggers", _("A journey needs at least one trigger."))
            triggers = []
        read = [self.trigger(each, f"/entry/triggers/{place}") for place, each in enumerate(triggers)]
        mode, include = given.get("mode", "once"), given.get("include", "new")
        if mode not in ("once", "multiple"):
            self.fault("/entry/mode", _("The mode is “once” or “multiple”."))
        if include not in ("new", "current", "both"):
            self.fault("/entry/include", _("“include” is “new”, “current” or “both”."))
        reentry = given.get("reentry_after")
        if reentry is not None:
            self.duration(reentry, "/entry/reentry_after")
            if mode != "multiple":
                self.fault("/entry/reentry_after", _("Coming back needs the mode “multiple”."))
        key = given.get("key")
        if key is not None:
            if not isinstance(key, str) or not key or len(key) > 200:
                self.fault("/entry/key", _("The key is the name of a property of the entering event."))
            if mode != "multiple":
                self.fault("/entry/key", _("A key needs the mode “multiple”."))
            if any(each.type not in ("event", "page_visited", "api", "manual") for each in read if each):
                self.fault("/entry/key", _("A key needs triggers that are events."))
        return {
            "triggers": tuple(each for each in read if each),
            "filter": self.criteria(given["filter"], "/entry/filter", in_run=False)
            if "filter" in given
            else None,
            "mode": mode,
            "reentry_after": reentry,
            "key": key,
            "include": include,
        }

    def trigger(self, given: Any, pointer: str, *, in_run: bool = False) -> Trigger | None:
        if not isinstance(given, dict) or not isinstance(given.get("type"), str):
            self.fault(pointer, _("A trigger is an object with its type."))
            return None
        kind = given["type"]
        if kind in _LATER_TRIGGERS:
            self.fault(f"{pointer}/type", _("The trigger “%(type)s” is not available yet.") % {"type": kind})
            return None
        if kind not in _TRIGGERS:
            self.fault(f"{pointer}/type", _("There is no trigger “%(type)s”.") % {"type": kind})
            return None
        self.unknown(given, ("type", *_TRIGGERS[kind]), pointer)
        if kind == "list_joined":
            return Trigger(kind, "list.joined", target=self.reference(given, "list", pointer))
        if kind == "segment_entered":
            return Trigger(kind, "segment.entered", target=self.reference(given, "segment", pointer))
        if kind == "event":
            age = given.get("max_age", _MAX_AGE)
            self.duration(age, f"{pointer}/max_age")
            name = self.event(given.get("event"), f"{pointer}/event")
            return Trigger(
                kind, name, where=self.where(given.get("where"), pointer, in_run=in_run), max_age=_ms(age)
            )
        if kind == "page_visited":
            url = given.get("url")
            if not isinstance(url, dict):
                self.fault(f"{pointer}/url", _("The address is an object with “op” and “value”."))
                return None
            where = self.read_where([{**url, "property": "url"}], f"{pointer}/url", flat=True, in_run=in_run)
            return Trigger(kind, "page.viewed", where=where, max_age=_ms(_MAX_AGE))
        return Trigger(kind)

    def exits(self, given: Any) -> tuple[Way, ...]:
        if given is None:
            return ()
        if not isinstance(given, list):
            self.fault("/exit", _("Exits are a list."))
            return ()
        ways = []
        for place, each in enumerate(given):
            pointer = f"/exit/{place}"
            if not isinstance(each, dict) or "when" not in each:
                self.fault(pointer, _("An exit is an object with “when”."))
                continue
            self.unknown(each, ("when", "as"), pointer)
            reason = each.get("as", "exit")
            if reason not in ("goal", "exit"):
                self.fault(f"{pointer}/as", _("An exit counts as “goal” or as “exit”."))
            when = each["when"]
            if isinstance(when, dict) and "type" in when:
                trigger = self.trigger(when, f"{pointer}/when", in_run=True)
                if trigger is not None and not trigger.event:
                    self.fault(f"{pointer}/when", _("This trigger lets in; it cannot let out."))
                ways.append(Way(reason, trigger=trigger))
            else:
                ways.append(Way(reason, criteria=self.criteria(when, f"{pointer}/when")))
        return tuple(ways)

    def settings(self, given: Any) -> dict[str, Any]:
        if given is None:
            return {}
        if not isinstance(given, dict):
            self.fault("/settings", _("Settings are an object."))
            return {}
        self.unknown(given, _SETTINGS, "/settings")
        for name in _LATER_SETTINGS:
            if given.get(name):
                self.fault(
                    f"/settings/{name}", _("The setting “%(name)s” is not available yet.") % {"name": name}
                )
        if given.get("subject", "contact") != "contact":
            self.fault("/settings/subject", _("Journeys of deals are not available yet."))
        holdout = given.get("holdout", 0)
        if isinstance(holdout, bool) or not isinstance(holdout, int | float) or not 0 <= holdout <= 100:
            self.fault("/settings/holdout", _("The hold-out is a percentage, from 0 to 100."))
        if not isinstance(given.get("ignore_cap", False), bool):
            self.fault("/settings/ignore_cap", _("“ignore_cap” is true or false."))
        if given.get("business_unit") is not None:
            unit = whole(given["business_unit"])
            if not unit or not self.names.has_business_unit(unit):
                self.fault("/settings/business_unit", _("There is no such business unit."))
        return given

    def steps(self, given: Any) -> dict[str, Step]:
        self._places: dict[str, int] = {}
        steps: dict[str, Step] = {}
        if not isinstance(given, list) or not given:
            self.fault("/steps", _("A journey needs at least one step."))
            return steps
        if len(given) > MOST_STEPS:
            self.fault("/steps", _("A journey has at most %(most)d steps.") % {"most": MOST_STEPS})
            return steps
        ids: set[str] = set()
        for place, each in enumerate(given):
            pointer = f"/steps/{place}"
            if (
                not isinstance(each, dict)
                or not isinstance(each.get("id"), str)
                or not STEP_ID.match(each["id"])
            ):
                self.fault(pointer, _("A step is an object with an id of letters, digits, “.”, “-” and “_”."))
            elif each["id"] in ids:
                self.fault(
                    f"{pointer}/id", _("Two steps have the same id, “%(step)s”.") % {"step": each["id"]}
                )
            else:
                ids.add(each["id"])
                self._places[each["id"]] = place
        for step_id, place in self._places.items():
            step = self.step(given[place], f"/steps/{place}", ids)
            if step is not None:
                steps[step_id] = step
        # A step that could not be read is there all the same: what points at it is no second fault.
        return (
            steps
            if len(steps) == len(ids)
            else {**steps, **{each: _missing(each) for each in ids - steps.keys()}}
        )

    def step(self, given: dict[str, Any], pointer: str, ids: set[str]) -> Step | None:
        name, kind = given.get("name", ""), given.get("type")
        if not isinstance(name, str) or len(name) > 200:
            self.fault(f"{pointer}/name", _("The name of a step is a text of at most 200 characters."))
            name = ""
        title = name or given["id"]
        before = len(self.faults)
        step = self._step(given, pointer, ids, name, kind)
        for fault in self.faults[before:]:
            fault["detail"] = _("Step “%(step)s”: %(detail)s") % {"step": title, "detail": fault["detail"]}
        return step

    def _step(self, given: dict[str, Any], pointer: str, ids: set[str], name: str, kind: Any) -> Step | None:
        if not isinstance(kind, str) or (kind not in TYPES and kind not in LATER):
            self.fault(f"{pointer}/type", _("there is no type of step “%(type)s”.") % {"type": kind})
            return None
        if kind in LATER:
            self.fault(f"{pointer}/type", _("the type “%(type)s” is not available yet.") % {"type": kind})
            return None
        step_type = TYPES[kind]
        known = {"id", "type", "name", "next", *(each.name for each in step_type.fields)}
        if kind == "end":
            known.discard("next")
        self.unknown(given, known, pointer)
        values: dict[str, Any] = {}
        for each in step_type.fields:
            if given.get(each.name) is None and each.kind is not Kind.STEP:
                if each.required:
                    self.fault(f"{pointer}/{each.name}", _("“%(name)s” is missing.") % {"name": each.name})
                continue
            if each.name in given:
                values[each.name] = self.value(each.kind, given[each.name], f"{pointer}/{each.name}", ids)
        after = self.target(given.get("next"), f"{pointer}/next", ids)
        if kind == "wait_for" and ("event" in values) == ("criteria" in values):
            self.fault(pointer, _("it waits either for an event or for criteria."))
        if kind == "wait_for" and "where" in values and "event" not in values:
            self.fault(f"{pointer}/where", _("“where” goes with an event."))
        if kind == "update_contact" and not values:
            self.fault(pointer, _("it changes nothing: “set”, “unset” or “increment” is missing."))
        return step_type(id=given["id"], name=name, next=after, values=values)


def _missing(step_id: str) -> Step:
    return Step(id=step_id, name="", next=None, values={})


def _ms(duration: Any) -> int:
    try:
        return int(parse_duration(duration).total_seconds() * 1000)
    except (DurationError, OverflowError):
        return 0
