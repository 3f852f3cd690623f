"""Criteria in English: each function says one thing of a contact, as what follows "the contact"."""

from __future__ import annotations

from decimal import Decimal

from parcours.criteria.words import amounts
from parcours.criteria.words.acts import Act, act
from parcours.criteria.words.conditions import GAP, Aggregate, Condition, Count, Done, Filter, Window
from parcours.criteria.words.nouns import AMOUNT_OF, DATED, FIELDS, property_noun

code = "en"
yes_or_no = ("yes", "no")
run_key = "the key of this run"
everyone = "is any contact"
nobody = "is no contact"
unreadable = "… (criterion to complete)"
groups = {
    "all": "meets all of these conditions",
    "any": "meets at least one of these conditions",
    "none": "meets none of these conditions",
    "not_all": "does not meet all of these conditions",
}
_CHANNELS = {"email": "e-mails", "sms": "SMS", "whatsapp": "WhatsApp messages"}
_AGGREGATES = {"sum": "the sum", "min": "the minimum", "max": "the maximum", "avg": "the average"}
_JOURNEYS = {
    "entered": ("has entered", "has never entered"),
    "active": ("is under way in", "is not under way in"),
    "completed": ("has completed", "has not completed"),
    "exited": ("has left", "has not left"),
}
_AT_STEPS = {
    "entered": ("has passed through the step", "has never passed through the step"),
    "active": ("is at the step", "is not at the step"),
    "completed": ("has completed at the step", "has not completed at the step"),
    "exited": ("has left at the step", "has not left at the step"),
}


def quoted(text: str) -> str:
    """Between quotation marks."""
    return f"“{text}”"


def joined(parts: list[str], *, either: bool) -> str:
    """Sentences put together: "a, b and c"."""
    word = " or " if either else " and "
    return word.join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def negation(sentence: str) -> str:
    """The opposite of a sentence that has no other."""
    return f"does not meet this condition: ({sentence})"


def _choice(condition: Condition, word: str = "or") -> str:
    values = list(condition.values)
    if condition.more:
        values.append(f"{condition.more} other values")
    if len(values) < 2:
        return "".join(values)
    return f" {word} ".join([", ".join(values[:-1]), values[-1]])


def _when(condition: Condition) -> str:
    """When a date is."""
    value, length = condition.value, condition.length
    if condition.op == "between":
        return f"between {value} and {condition.values[1]}"
    if condition.op in ("eq", "in"):
        return f"on {_choice(condition)}"
    if length is not None:
        return {
            "before": f"more than {value} ago",
            "after": f"less than {value} ago or to come",
            "within_last": length.last,
            "outside": length.outside,
        }.get(condition.op, length.following)
    return {
        "lt": f"before {value}",
        "gt": f"after {value}",
        "lte": f"on or before {value}",
        "gte": f"on or after {value}",
    }[condition.op]


def _qualifier(condition: Condition) -> str:
    """What follows a noun: "containing “x”", "of more than 50"."""
    value = condition.value
    if condition.sort in ("date", "length"):
        return _when(condition)
    return {
        "eq": f"of {value}" if condition.sort in ("number", "money") else f"equal to {value}",
        "in": f"of {_choice(condition)}",
        "contains": f"containing {value}",
        "starts_with": f"starting with {value}",
        "ends_with": f"ending with {value}",
        "gt": f"of more than {value}",
        "gte": f"of at least {value}",
        "lt": f"of less than {value}",
        "lte": f"of at most {value}",
        "between": f"between {value} and {condition.values[-1] if condition.values else GAP}",
    }[condition.op]


def _predicate(condition: Condition) -> str:
    """What a subject does: "is “x”", "does not contain “x”"."""
    op, value, negated = condition.op, condition.value, condition.negated
    be = "is not" if negated else "is"
    if op == "exists":
        return "does not exist" if negated else "exists"
    if condition.sort in ("date", "length"):
        return f"{be} {_when(condition)}"
    if op == "in":
        if not condition.values:
            return f"{be} one of an empty list of values"
        return f"is neither {_choice(condition, 'nor')}" if negated else f"is {_choice(condition)}"
    if op == "eq":
        return f"{be} {value}"
    verbs = {
        "contains": ("contains", "does not contain"),
        "starts_with": ("starts with", "does not start with"),
        "ends_with": ("ends with", "does not end with"),
    }
    if op in verbs:
        return f"{verbs[op][negated]} {value}"
    return f"{be} {_qualifier(condition).removeprefix('of ')}"


def field(name: str, attribute: bool, condition: Condition) -> str:
    """A field of the contact, or an attribute of the account's own."""
    op, negated = condition.op, condition.negated
    dated = None if attribute else DATED.get(name)
    if dated and condition.sort in ("date", "length"):
        return f"{dated[2 + negated]} {_when(condition)}"
    noun = None if attribute else FIELDS.get(name)
    if noun is None:
        return _attribute(quoted(name), condition)
    if op in ("eq", "in") and condition.sort not in ("date", "length"):
        have = "does not have" if negated else "has"
        if not condition.values:
            return f"{have} {noun.one_en} of an empty list of values"
        if op == "in" and negated:
            return f"has neither the {noun.en} {_choice(condition, 'nor')}"
        return f"{have} the {noun.en} {_choice(condition)}"
    tail = "" if op == "exists" else f" {_qualifier(condition)}"
    return f"has no {noun.en}{tail}" if negated else f"has {noun.one_en}{tail}"


def _attribute(name: str, condition: Condition) -> str:
    op, have = condition.op, "does not have" if condition.negated else "has"
    if op == "exists":
        return f"{have} {name} filled in"
    if condition.sort in ("date", "length") or op not in ("eq", "in"):
        return f"{have} {name} {_qualifier(condition)}"
    if not condition.values:
        return f"{have} {name} equal to one of an empty list of values"
    return f"{have} {name} equal to {_choice(condition)}"


def consent(channel: str, value: str, negated: bool) -> str:
    """What the contact consented to."""
    what = f"to receive {_CHANNELS.get(channel, GAP)}"
    if value == "pending":
        return f"has agreed or refused {what}" if negated else f"has neither agreed nor refused {what} yet"
    verb = {"opted_in": "agreed", "opted_out": "refused"}.get(value, GAP)
    return f"{'has not' if negated else 'has'} {verb} {what}"


def tag(name: str, negated: bool) -> str:
    return f"{'does not bear' if negated else 'bears'} the tag {name}"


def on_list(name: str, negated: bool) -> str:
    return f"{'is not' if negated else 'is'} on the list {name}"


def in_segment(name: str, negated: bool) -> str:
    return f"{'is not' if negated else 'is'} in the segment {name}"


def in_journey(name: str, step: str | None, op: str, negated: bool) -> str:
    """Where the contact stands or stood in a journey."""
    if step is not None:
        return f"{_AT_STEPS[op][negated]} {step} of the journey {name}"
    return f"{_JOURNEYS[op][negated]} the journey {name}"


def _number(value: int | Decimal | float | None) -> str:
    return GAP if value is None else amounts.quantity(value, code)


def _several(count: Count, word: str = "or") -> str:
    said = [_number(one) for one in count.numbers] or [GAP]
    return said[0] if len(said) == 1 else f" {word} ".join([", ".join(said[:-1]), said[-1]])


def _how_many(count: Count) -> str:
    first = _several(count)
    return {
        "gt": f"more than {first}",
        "gte": f"at least {first}",
        "lt": f"fewer than {first}",
        "lte": f"at most {first}",
        "eq": f"exactly {first}",
        "in": first,
        "between": f"between {_several(count, 'and')}",
    }.get(count.op, "")


def _done(done: Act, count: Count) -> tuple[str, str]:
    """The act with how many things, and how many times when the things are not counted."""
    if count.none:
        return done.never, ""
    if count.some:
        return f"{done.did} at least one {done.bare}" if done.many else f"{done.did} {done.thing}", ""
    many = _how_many(count)
    if not many:
        other = f"but {_several(count, 'and')}"
        if done.many:
            return f"{done.did} any number of {done.many} {other}", ""
        return f"{done.did} {done.thing}", f" any number of times {other}"
    if not done.many:
        often = f"{many} {'time' if count.numbers == (1,) else 'times'}"
        return f"{done.did} {done.thing}", f" {often}{' (or never)' if count.takes_none else ''}"
    one = count.numbers == (1,) and count.op != "ne"
    return (
        f"{done.did} {many} {done.bare if one else done.many}{' (or none)' if count.takes_none else ''}",
        "",
    )


def _the(name: str) -> str:
    return property_noun(name, code) or quoted(name)


def _filters(event: str, filters: tuple[Filter, ...]) -> str:
    short, said = "", []
    for one in filters:
        test = one.condition
        if one.property == AMOUNT_OF.get(event) and test.sort == "money" and not test.negated and not short:
            short = f" {_qualifier(test)}"
        elif one.property == "machine" and test.op == "eq" and test.value in yes_or_no:
            machine = (test.value == yes_or_no[0]) != test.negated
            short += " (by a machine)" if machine else " (by a person)"
        else:
            said.append(f"whose {_the(one.property)} {_predicate(test)}")
    return short + "".join(f" {'and ' if place else ''}{text}" for place, text in enumerate(said))


def _window(window: Window | None) -> str:
    if window is None:
        return ""
    if window.length is not None:
        return f" {window.length.last}"
    since, until, last_day = window.since, window.until, window.last_day
    if since is None:
        return f" until {last_day} included" if last_day else f" before {until}"
    if last_day or until:
        return f" from {since} to {last_day or until}"
    return f" since {since}"


def _aggregate(asked: Aggregate) -> str:
    noun, test = f"{_AGGREGATES[asked.kind]} of {_the(asked.property)}", asked.condition
    be = "not being" if test.negated else "being"
    if test.op == "exists":
        return f", {noun} not existing" if test.negated else f", {noun} existing"
    if test.op == "in":
        return f", {noun} {be} {_choice(test) or 'one of an empty list of values'}"
    return f", {noun} {be} {_qualifier(test).removeprefix('of ')}"


def did(done: Done) -> str:
    """What the contact did, how often, of what kind and when."""
    text, often = _done(act(done.event, code, quoted(done.event)), done.count)
    text += _filters(done.event, done.filters) + often + _window(done.window)
    if done.run:
        text += " since entering this journey"
    return text + (_aggregate(done.aggregate) if done.aggregate else "")
