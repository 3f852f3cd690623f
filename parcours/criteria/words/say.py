"""Criteria said in words, in French or English: one sentence, or a tree of phrases as they are nested.

What is said is the JSON as written, not its parsed form, so that texts keep their case and dates their form. Whatever
is missing or cannot be read is said as a gap: criteria are said while they are being written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from parcours.criteria.parse import BUILT_IN, DEAL_FIELDS
from parcours.criteria.words import english, french
from parcours.criteria.words.conditions import GAP, Aggregate, Condition, Count, Done, Filter, Names, Reader
from parcours.criteria.words.nouns import DATED, FIELD_KINDS, KIND_OF, is_money

MOST_PHRASES = 1_000
DEEPEST = 40
_AGGREGATES = ("sum", "min", "max", "avg")
_JOURNEY_OPS = ("entered", "not_entered", "active", "completed", "exited")
_ONCE = Count("gte", (1,))


class Language(Protocol):
    """What `french` and `english` both are."""

    code: str
    yes_or_no: tuple[str, str]
    run_key: str
    everyone: str
    nobody: str
    unreadable: str
    groups: dict[str, str]

    def quoted(self, text: str) -> str: ...
    def joined(self, parts: list[str], *, either: bool) -> str: ...
    def negation(self, sentence: str) -> str: ...
    def field(self, name: str, attribute: bool, condition: Condition) -> str: ...
    def consent(self, channel: str, value: str, negated: bool) -> str: ...
    def tag(self, name: str, negated: bool) -> str: ...
    def on_list(self, name: str, negated: bool) -> str: ...
    def in_segment(self, name: str, negated: bool) -> str: ...
    def in_journey(self, name: str, step: str | None, op: str, negated: bool) -> str: ...
    def did(self, done: Done) -> str: ...


@dataclass(frozen=True)
class Phrase:
    """One criterion in words, or a group ("meets all of these conditions") with those inside it.

    `pointer` is where it stands in the document (RFC 6901).
    """

    pointer: str
    text: str
    children: tuple[Phrase, ...] = ()


def sentence(criteria: Any, *, language: str, names: Names, currency: str = "EUR", zone: str = "UTC") -> str:
    """Criteria as one sentence that goes on "the contact…"; never empty.

    `language` is "fr" or "en" (anything else reads as English); `names` are those behind ids (`mentioned`), an id
    without a name shows itself; amounts are in `currency`; dates in `zone`.
    """
    speaker = _Speaker(language, names, currency, zone)
    return speaker.sentence(criteria, negated=False, depth=1, inside=False)


def phrases(
    criteria: Any, *, language: str, names: Names, currency: str = "EUR", zone: str = "UTC"
) -> Phrase:
    """Criteria as a tree of phrases, nested as the document is. The arguments are those of `sentence`."""
    return _Speaker(language, names, currency, zone).phrase(criteria, "", depth=1)


def mentioned(criteria: Any) -> frozenset[tuple[str, str]]:
    """The (kind, id) of what criteria name by id: lists, segments, journeys, steps, forms, campaigns…"""
    return frozenset(_ids(criteria))


class _Speaker:
    def __init__(self, language: str, names: Names, currency: str, zone: str) -> None:
        self.speech: Language = french if language.startswith("fr") else english
        speech = self.speech
        self.reader = Reader(
            speech.code, names, currency, zone, speech.quoted, speech.yes_or_no, speech.run_key
        )
        self.left = MOST_PHRASES

    def _unreadable(self, document: Any, depth: int) -> bool:
        self.left -= 1
        return not isinstance(document, dict) or self.left < 0 or depth > DEEPEST

    def sentence(self, document: Any, *, negated: bool, depth: int, inside: bool) -> str:
        if self._unreadable(document, depth):
            return self.speech.unreadable
        if "not" in document:
            return self.sentence(document["not"], negated=not negated, depth=depth + 1, inside=inside)
        for kind in ("all", "any"):
            children = document.get(kind)
            if not isinstance(children, list):
                continue
            either = (kind == "any") != negated
            if not children:
                return self.speech.nobody if either else self.speech.everyone
            if len(children) == 1:
                return self.sentence(children[0], negated=negated, depth=depth + 1, inside=inside)
            parts = []
            for child in children:
                parts.append(self.sentence(child, negated=negated, depth=depth + 1, inside=True))
                if self.left < 0:
                    break
            said = self.speech.joined(parts, either=either)
            return f"({said})" if inside else said
        return self.leaf(document, negated)

    def phrase(self, document: Any, pointer: str, *, depth: int) -> Phrase:
        if self._unreadable(document, depth):
            return Phrase(pointer, self.speech.unreadable)
        for kind in ("all", "any"):
            if isinstance(document.get(kind), list):
                return self._group(document[kind], kind, f"{pointer}/{kind}", pointer, depth)
        if "not" not in document:
            return Phrase(pointer, self.leaf(document, False))
        inner, at = document["not"], f"{pointer}/not"
        if isinstance(inner, dict):
            for kind, said in (("all", "not_all"), ("any", "none")):
                if isinstance(inner.get(kind), list):
                    return self._group(inner[kind], said, f"{at}/{kind}", pointer, depth)
            if "not" not in inner:
                return Phrase(pointer, self.leaf(inner, True))
        return Phrase(pointer, self.speech.groups["none"], (self.phrase(inner, at, depth=depth + 1),))

    def _group(self, children: list[Any], said: str, at: str, pointer: str, depth: int) -> Phrase:
        if not children:
            return Phrase(pointer, self.speech.everyone if said in ("all", "none") else self.speech.nobody)
        inside = []
        for place, child in enumerate(children):
            inside.append(self.phrase(child, f"{at}/{place}", depth=depth + 1))
            if self.left < 0:
                break
        return Phrase(pointer, self.speech.groups[said], tuple(inside))

    def leaf(self, leaf: dict[str, Any], negated: bool) -> str:
        """One criterion, or its opposite."""
        if "field" in leaf:
            return self._field(leaf, negated)
        if "event" in leaf:
            return self._did(leaf, negated)
        op = leaf.get("op")
        if "consent" in leaf:
            channel, value = str(leaf["consent"]), str(leaf.get("value"))
            return self.speech.consent(channel, value, (op == "ne") != negated)
        if "tag" in leaf:
            return self.speech.tag(self.reader.text(leaf["tag"]), (op == "has_not") != negated)
        if "list" in leaf:
            name = self.reader.named("list", leaf["list"])
            return self.speech.on_list(name, (op == "not_member") != negated)
        if "segment" in leaf:
            name = self.reader.named("segment", leaf["segment"])
            return self.speech.in_segment(name, (op == "not_member") != negated)
        if "journey" in leaf:
            return self._journey(leaf, negated)
        return self.speech.unreadable

    def _field(self, leaf: dict[str, Any], negated: bool) -> str:
        name = leaf["field"] if isinstance(leaf["field"], str) and leaf["field"] else GAP
        attribute = name.startswith("attributes.")
        own = (BUILT_IN | DEAL_FIELDS).get(name)
        sort = _dated(leaf, "date" if attribute or own == "date" else "text")
        if name == "deal.amount" and _is_amount(leaf):
            sort = "money"
        kind, hours = FIELD_KINDS.get(name), name in DATED
        condition = self.reader.condition(leaf, sort=sort, kind=kind, hours=hours).turned(negated)
        return self.speech.field(name.removeprefix("attributes."), attribute, condition)

    def _journey(self, leaf: dict[str, Any], negated: bool) -> str:
        op, step = leaf.get("op"), leaf.get("step")
        if op not in _JOURNEY_OPS:
            op = "entered"
        where = self.reader.named("journey", leaf["journey"])
        at = None if step is None else self.reader.text(self._step(leaf["journey"], step)) if step else GAP
        bare = op.removeprefix("not_")
        return self.speech.in_journey(where, at, bare, (bare != op) != negated)

    def _step(self, journey: Any, step: Any) -> str:
        return self.reader.names.get(("step", f"{journey}/{step}")) or str(step)

    def _did(self, leaf: dict[str, Any], negated: bool) -> str:
        reader = self.reader
        name = leaf["event"] if isinstance(leaf["event"], str) and leaf["event"] else GAP
        count = reader.count(leaf["count"]) if "count" in leaf else _ONCE
        aggregate = self._aggregate(leaf)
        opposite = count.opposite()
        turned = negated and aggregate is None and opposite is not None
        if turned and opposite is not None:
            count = opposite
        wheres = leaf.get("where")
        done = Done(
            name,
            count,
            tuple(self._filter(one, leaf) for one in wheres[:50]) if isinstance(wheres, list) else (),
            reader.window(leaf.get("window")),
            "scope" in leaf,
            aggregate,
        )
        said = self.speech.did(done)
        return self.speech.negation(said) if negated and not turned else said

    def _filter(self, where: Any, leaf: dict[str, Any]) -> Filter:
        said = where if isinstance(where, dict) else {}
        given = said.get("property")
        name: str = given if isinstance(given, str) and given else GAP
        if name == "step":
            journeys = [
                one.get("value")
                for one in leaf["where"]
                if isinstance(one, dict) and one.get("property") == "journey"
            ]
            if journeys and isinstance(said.get("value"), str):
                said = {**said, "value": self._step(journeys[0], said["value"])}
        sort = "money" if is_money(name) and _is_amount(said) else "text"
        return Filter(name, self.reader.condition(said, sort=sort, kind=KIND_OF.get(name)))

    def _aggregate(self, leaf: dict[str, Any]) -> Aggregate | None:
        for kind in _AGGREGATES:
            if kind in leaf:
                said = leaf[kind] if isinstance(leaf[kind], dict) else {}
                name = said.get("property") if isinstance(said.get("property"), str) else GAP
                sort = "money" if is_money(name or "") else "text"
                return Aggregate(kind, name or GAP, self.reader.condition(said, sort=sort))
        return None


def _dated(leaf: dict[str, Any], sort: str) -> str:
    """Values of an attribute are said as dates when they are all written as dates."""
    value = leaf.get("value")
    values = value if isinstance(value, list) else [value]
    dates = values and all(isinstance(one, str) and len(one) >= 10 and one[4:5] == "-" for one in values)
    if dates and sort == "date":
        return "date"
    return "boolean" if sort == "date" else "text"


def _is_amount(where: dict[str, Any]) -> bool:
    value = where.get("value")
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def _ids(criteria: Any) -> Iterator[tuple[str, str]]:
    stack, left = [criteria], MOST_PHRASES
    while stack and left:
        one = stack.pop()
        left -= 1
        if not isinstance(one, dict):
            continue
        for kind in ("all", "any"):
            if isinstance(one.get(kind), list):
                stack.extend(one[kind])
        stack.append(one.get("not"))
        for kind in ("list", "segment", "journey"):
            yield from _keys(kind, one.get(kind))
        if "journey" in one and isinstance(one.get("step"), str):
            yield "step", f"{one['journey']}/{one['step']}"
        if isinstance(one.get("field"), str):
            yield from _all_keys(FIELD_KINDS.get(one["field"], ""), one.get("value"))
        wheres = one.get("where")
        for where in wheres[:50] if isinstance(wheres, list) else ():
            if isinstance(where, dict) and isinstance(where.get("property"), str):
                yield from _all_keys(KIND_OF.get(where["property"], ""), where.get("value"))
        yield from _steps_of_filters(wheres)


def _all_keys(kind: str, values: Any) -> Iterator[tuple[str, str]]:
    for value in values[:50] if isinstance(values, list) else [values]:
        yield from _keys(kind, value)


def _keys(kind: str, value: Any) -> Iterator[tuple[str, str]]:
    if kind and isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) <= 255:
        yield kind, str(value)


def _steps_of_filters(wheres: Any) -> Iterator[tuple[str, str]]:
    """A step that an event bears is named with its journey, when the same filters name that."""
    said: dict[Any, Any] = {}
    for where in wheres if isinstance(wheres, list) else ():
        if isinstance(where, dict) and isinstance(where.get("property"), str):
            said.setdefault(where["property"], where.get("value"))
    if isinstance(said.get("step"), str) and isinstance(said.get("journey"), str | int):
        yield "step", f"{said['journey']}/{said['step']}"
