"""Reads criteria as the contract writes them; every fault is told, with the JSON Pointer (RFC 6901) of its node."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from parcours.criteria import nodes, parse_tests, values
from parcours.criteria.context import Context
from parcours.criteria.nodes import Node
from parcours.lib.durations import DurationError, parse_duration
from parcours.lib.problems import Fault, Invalid
from parcours.lib.translation import gettext as _

MOST_NODES = 1_000
DEEPEST = 40
LONGEST_NAME = 255
LONGEST_MS = 400 * 366 * values.DAY_MS
BUILT_IN = {
    "id": "text",
    "email": "name",
    "phone": "name",
    "external_id": "text",
    "first_name": "name",
    "last_name": "name",
    "locale": "name",
    "timezone": "name",
    "country": "name",
    "city": "name",
    "created_at": "date",
    "updated_at": "date",
    "last_seen_at": "date",
}
"""The contact's own fields; a `name` is a text that is no number and no date."""
DEAL_FIELDS = {
    "deal.id": "text",
    "deal.external_id": "text",
    "deal.name": "name",
    "deal.pipeline": "text",
    "deal.stage": "text",
    "deal.amount": "number",
    "deal.currency": "name",
    "deal.owner": "name",
    "deal.close_date": "date",
    "deal.created_at": "date",
    "deal.closed_at": "date",
}
"""The fields of a deal, where deals are the subject; its other fields are its first contact's."""
KINDS = ("all", "any", "not", "field", "consent", "tag", "list", "segment", "journey", "event")
_NOTHING = nodes.AnyOf(())
#: One way to write each: whoever looks for what names an id compares texts.
_ID = re.compile(r"(0|[1-9][0-9]{0,17})\Z")


def circle(names: Sequence[str]) -> str:
    """What is said of segments each of which names the next one, and the last the first."""
    said = " → ".join(_("“%(name)s”") % {"name": name} for name in [*names, names[0]])
    return _("A segment cannot depend on itself: %(names)s.") % {"names": said}


def parse(document: Any, *, context: Context, pointer: str = "") -> Node:
    """The criteria of a JSON document. `pointer` is where it stands in the request.

    Raises Invalid with all the faults found.
    """
    reader = _Reader(context)
    node = reader.node(document, pointer, 1)
    if reader.faults:
        raise Invalid(_("These criteria cannot be used."), reader.faults)
    return node


def parse_where(document: Any, *, context: Context, pointer: str = "") -> tuple[nodes.Where, ...]:
    """The `where` of a trigger or of a wait. Raises Invalid with all the faults found."""
    reader = _Reader(context)
    found = reader.wheres(document, pointer)
    if reader.faults:
        raise Invalid(_("These conditions on an event cannot be used."), reader.faults)
    return found


class _Reader:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.faults: list[Fault] = []
        self.count = 0
        self.path: list[tuple[int, str]] = [context.segment] if context.segment else []
        self.circles: list[str] = []
        self.full = False

    def fault(self, pointer: str, detail: str) -> None:
        self.faults.append(Fault(pointer=pointer, detail=detail))

    def _place_inside(self, before: int, at: str, segment: str) -> None:
        """The faults of another segment's criteria have no place of their own in this document: they stand where it
        is named, each once. A circle says by itself through which segments it leads."""
        inside, self.faults[before:] = self.faults[before:], []
        for fault in inside:
            if fault["detail"] in self.circles:
                fault = Fault(pointer=at, detail=fault["detail"])
            elif fault["pointer"] != at:
                said = {"name": segment, "detail": fault["detail"]}
                fault = Fault(pointer=at, detail=_("In the segment “%(name)s”: %(detail)s") % said)
            if fault not in self.faults[before:]:
                self.faults.append(fault)

    def node(self, document: Any, pointer: str, depth: int) -> Node:
        self.count += 1
        if self._is_full(pointer):
            return _NOTHING
        if depth > DEEPEST:
            self.full = True
            self.fault(pointer, _("Criteria are nested more than %(deepest)s deep.") % {"deepest": DEEPEST})
            return _NOTHING
        if not isinstance(document, dict):
            self.fault(pointer, _('Criteria are an object, such as {"all": []}.'))
            return _NOTHING
        found = [kind for kind in KINDS if kind in document]
        if len(found) != 1:
            detail = (
                _("This object is no criterion: it needs one of %(kinds)s.")
                if not found
                else _("This object mixes %(found)s: keep one of them.")
            )
            self.fault(pointer, detail % {"kinds": ", ".join(KINDS), "found": ", ".join(found)})
            return _NOTHING
        kind = found[0]
        if kind in ("all", "any"):
            return self._group(kind, document, pointer, depth)
        if kind == "not":
            self.keys(document, pointer, {"not"})
            return nodes.Not(self.node(document["not"], f"{pointer}/not", depth + 1))
        if kind == "segment":
            return self._segment(document, pointer, depth)
        reader: Callable[[dict[str, Any], str], Node] = getattr(self, f"_{kind}")
        return reader(document, pointer)

    def _is_full(self, pointer: str) -> bool:
        """Whether there is more than is read; told once."""
        if self.count > MOST_NODES and not self.full:
            self.full = True
            detail = _("There are more than %(most)s criteria, those of inner segments included.")
            self.fault(pointer, detail % {"most": MOST_NODES})
        return self.full

    def keys(self, document: dict[str, Any], pointer: str, allowed: set[str]) -> None:
        for key in document:
            if key not in allowed:
                self.fault(
                    parse_tests.under(pointer, key), _("“%(key)s” is not known here.") % {"key": key[:100]}
                )

    def choice(self, document: dict[str, Any], key: str, pointer: str, allowed: tuple[str, ...]) -> str:
        value = document.get(key)
        if isinstance(value, str) and value in allowed:
            return value
        self.fault(
            f"{pointer}/{key}", _("This must be one of %(allowed)s.") % {"allowed": ", ".join(allowed)}
        )
        return allowed[0]

    def text(self, value: Any, pointer: str) -> str:
        if (
            not isinstance(value, str)
            or not value
            or len(value) > LONGEST_NAME
            or not parse_tests.encodable(value)
        ):
            self.fault(
                pointer, _("This must be a text of 1 to %(most)s characters.") % {"most": LONGEST_NAME}
            )
            return "?"
        return value

    def id(self, value: Any, pointer: str) -> int:
        if isinstance(value, str) and _ID.match(value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18:
            return value
        self.fault(pointer, _("This must be an id."))
        return -1

    def _group(self, kind: str, document: dict[str, Any], pointer: str, depth: int) -> Node:
        self.keys(document, pointer, {kind})
        inner = document[kind]
        if not isinstance(inner, list):
            self.fault(f"{pointer}/{kind}", _("This must be a list of criteria."))
            return _NOTHING
        children = []
        for place, child in enumerate(inner):
            if self.full:
                break
            children.append(self.node(child, f"{pointer}/{kind}/{place}", depth + 1))
        return (nodes.AllOf if kind == "all" else nodes.AnyOf)(tuple(children))

    def _field(self, document: dict[str, Any], pointer: str) -> Node:
        self.keys(document, pointer, {"field", "op", "value"})
        name = self.text(document["field"], f"{pointer}/field")
        attribute = name.startswith("attributes.")
        bare = name.removeprefix("attributes.")
        kind = self.context.resolver.attribute_type(bare) if attribute else BUILT_IN.get(name)
        if kind is None and self.context.deals:
            kind = DEAL_FIELDS.get(name)
        if kind is None and name in DEAL_FIELDS:
            self.fault(
                f"{pointer}/field",
                _("“%(name)s” has a sense only where deals are looked at.") % {"name": name},
            )
        elif kind is None and (not self.faults or self.faults[-1]["pointer"] != f"{pointer}/field"):
            self.fault(f"{pointer}/field", _("There is no field “%(name)s”.") % {"name": name})
        if kind is None:
            return _NOTHING
        test = parse_tests.read(document, pointer, self, kind)
        said = nodes.Field(bare, "text" if kind == "name" else kind, attribute, test)
        return self._on_days(said, document.get("value"), pointer) if kind == "date" else said

    def _on_days(self, said: nodes.Field, value: Any, pointer: str) -> Node:
        """An equality with dates: a day alone is that whole day, in the account's zone."""
        tests = parse_tests.of_days(said.test, value, self.context.timezone)
        self.count += len(tests) - 1
        if len(tests) == 1 or self._is_full(pointer):
            return replace(said, test=tests[0])
        found = nodes.AnyOf(tuple(replace(said, test=replace(test, negated=False)) for test in tests))
        return nodes.Not(found) if said.test.negated else found

    def _consent(self, document: dict[str, Any], pointer: str) -> Node:
        self.keys(document, pointer, {"consent", "op", "value"})
        return nodes.Consent(
            self.choice(document, "consent", pointer, ("email", "sms", "whatsapp")),
            self.choice(document, "value", pointer, ("opted_in", "opted_out", "pending")),
            self.choice(document, "op", pointer, ("eq", "ne")) == "ne",
        )

    def _tag(self, document: dict[str, Any], pointer: str) -> Node:
        self.keys(document, pointer, {"tag", "op"})
        name = self.text(document["tag"], f"{pointer}/tag")
        return nodes.Tag(
            values.fold(name), self.choice(document, "op", pointer, ("has", "has_not")) == "has_not"
        )

    def _membership(self, document: dict[str, Any], kind: str, pointer: str) -> tuple[int, bool]:
        self.keys(document, pointer, {kind, "op"})
        negated = self.choice(document, "op", pointer, ("member", "not_member")) == "not_member"
        return self.id(document[kind], f"{pointer}/{kind}"), negated

    def _list(self, document: dict[str, Any], pointer: str) -> Node:
        number, negated = self._membership(document, "list", pointer)
        if number >= 0 and not self.context.resolver.has_list(number):
            self.fault(f"{pointer}/list", _("There is no list %(id)s.") % {"id": number})
        return nodes.OnList(number, negated)

    def _segment(self, document: dict[str, Any], pointer: str, depth: int) -> Node:
        number, negated = self._membership(document, "segment", pointer)
        at = f"{pointer}/segment"
        if number < 0:
            return _NOTHING
        for place, (above, _name) in enumerate(self.path):
            if above == number:
                self.circles.append(circle([name for _id, name in self.path[place:]]))
                self.fault(at, self.circles[-1])
                return _NOTHING
        found = self.context.resolver.segment(number)
        if found is None:
            self.fault(at, _("There is no segment %(id)s.") % {"id": number})
            return _NOTHING
        if found.frozen:
            return nodes.InSegment(number, None, negated)
        self.path.append((number, found.name))
        before = len(self.faults)
        inner = self.node(found.criteria, at, depth + 1)
        self.path.pop()
        self._place_inside(before, at, found.name)
        return nodes.InSegment(number, inner, negated)

    def _journey(self, document: dict[str, Any], pointer: str) -> Node:
        self.keys(document, pointer, {"journey", "step", "op"})
        number = self.id(document["journey"], f"{pointer}/journey")
        op = self.choice(document, "op", pointer, ("entered", "not_entered", "active", "completed", "exited"))
        steps = self.context.resolver.journey_steps(number) if number >= 0 else frozenset()
        if steps is None:
            self.fault(f"{pointer}/journey", _("There is no journey %(id)s.") % {"id": number})
        step = document.get("step")
        if step is not None:
            step = self.text(step, f"{pointer}/step")
            if steps and step not in steps:
                self.fault(f"{pointer}/step", _("This journey has no step “%(step)s”.") % {"step": step})
        return nodes.InJourney(number, step, op.removeprefix("not_"), op.startswith("not_"))

    def _event(self, document: dict[str, Any], pointer: str) -> Node:
        kinds = ("sum", "min", "max", "avg")
        self.keys(document, pointer, {"event", "where", "window", "count", "scope", *kinds})
        name = self.text(document["event"], f"{pointer}/event")
        if name != "*" and (refusal := self.context.event_refusal(name)):
            self.fault(f"{pointer}/event", refusal)
        where = self.wheres(document.get("where", []), f"{pointer}/where")
        window = self._window(document["window"], f"{pointer}/window") if "window" in document else None
        count = parse_tests.AT_LEAST_ONE
        if "count" in document:
            count = parse_tests.read_count(document["count"], f"{pointer}/count", self)
        in_run = "scope" in document
        if in_run:
            self.choice(document, "scope", pointer, ("run",))
            if not self.context.in_run:
                self.fault(f"{pointer}/scope", _("The scope “run” has a sense inside a journey only."))
        asked = [kind for kind in kinds if kind in document]
        for kind in asked[1:]:
            self.fault(f"{pointer}/{kind}", _("Only one of sum, min, max and avg can be asked for."))
        aggregate = self._aggregate(asked[0], document[asked[0]], f"{pointer}/{asked[0]}") if asked else None
        return nodes.Did(name, where, window, count, in_run, aggregate)

    def wheres(self, document: Any, pointer: str) -> tuple[nodes.Where, ...]:
        if not isinstance(document, list):
            self.fault(pointer, _("This must be a list of conditions."))
            return ()
        found = []
        for place, one in enumerate(document):
            at = f"{pointer}/{place}"
            self.count += 1
            if self._is_full(at):
                break
            if not isinstance(one, dict):
                self.fault(at, _("A condition is an object with a property, an operator and a value."))
                continue
            self.keys(one, at, {"property", "op", "value"})
            name = self.text(one.get("property"), f"{at}/property")
            test = parse_tests.read(one, at, self, "any")
            found.append(nodes.Where(name, parse_tests.of_region(test) if name == "region" else test))
        return tuple(found)

    def _aggregate(self, kind: str, document: Any, pointer: str) -> nodes.Aggregate | None:
        if not isinstance(document, dict):
            self.fault(pointer, _("This must be an object with a property, an operator and a value."))
            return None
        self.keys(document, pointer, {"property", "op", "value"})
        name = self.text(document.get("property"), f"{pointer}/property")
        return nodes.Aggregate(kind, name, parse_tests.read(document, pointer, self, "amount"))

    def _window(self, document: Any, pointer: str) -> nodes.Window | None:
        if not isinstance(document, dict) or not document:
            self.fault(pointer, _('A window is {"last": …} or {"from": …, "to": …}.'))
            return None
        if "last" in document:
            self.keys(document, pointer, {"last"})
            return nodes.Window(last=self.duration(document["last"], f"{pointer}/last"))
        self.keys(document, pointer, {"from", "to"})
        zone, bounds = self.context.timezone, {}
        for key in ("from", "to"):
            text = document.get(key)
            if text is None:
                continue
            instant = values.as_instant(text, zone) if isinstance(text, str) else None
            if instant is not None and key == "to" and values.is_date_alone(text):
                instant = values.end_of_day(text, zone)
            if instant is None:
                self.fault(f"{pointer}/{key}", _("This must be a date or an instant in ISO 8601."))
            bounds[key] = instant
        return nodes.Window(start=bounds.get("from"), end=bounds.get("to"))

    def duration(self, value: Any, pointer: str) -> int:
        """A duration in ms; one that goes beyond every instant that can be kept is cut."""
        try:
            return min(int(parse_duration(value).total_seconds()) * 1000, LONGEST_MS)
        except OverflowError:
            return LONGEST_MS
        except DurationError:
            self.fault(pointer, _('This must be a duration, such as "90d".'))
            return 0
