"""Criteria in French: each function says one thing of a contact, as what follows "le contact"."""

from __future__ import annotations

from decimal import Decimal

from parcours.criteria.words import amounts
from parcours.criteria.words.acts import Act, act
from parcours.criteria.words.conditions import GAP, Aggregate, Condition, Count, Done, Filter, Window
from parcours.criteria.words.nouns import AMOUNT_OF, DATED, FIELDS, property_noun

code = "fr"
yes_or_no = ("oui", "non")
run_key = "la clé de cette inscription"
everyone = "est n’importe quel contact"
nobody = "n’est aucun contact"
unreadable = "… (critère à compléter)"
groups = {
    "all": "remplit toutes ces conditions",
    "any": "remplit au moins une de ces conditions",
    "none": "ne remplit aucune de ces conditions",
    "not_all": "ne remplit pas toutes ces conditions",
}
_CHANNELS = {"email": "des e-mails", "sms": "des SMS", "whatsapp": "des messages WhatsApp"}
_AGGREGATES = {"sum": "la somme", "min": "le minimum", "max": "le maximum", "avg": "la moyenne"}
_JOURNEYS = {
    "entered": ("est entré dans", "n’est jamais entré dans"),
    "active": ("est en cours dans", "n’est pas en cours dans"),
    "completed": ("a terminé", "n’a pas terminé"),
    "exited": ("est sorti de", "n’est pas sorti de"),
}
_AT_STEPS = {
    "entered": ("est passé par l’étape", "n’est jamais passé par l’étape"),
    "active": ("est à l’étape", "n’est pas à l’étape"),
    "completed": ("a terminé à l’étape", "n’a pas terminé à l’étape"),
    "exited": ("est sorti à l’étape", "n’est pas sorti à l’étape"),
}


def quoted(text: str) -> str:
    """Between French quotation marks, with their no-break spaces."""
    return f"«\u00a0{text}\u00a0»"


def joined(parts: list[str], *, either: bool) -> str:
    """Sentences put together: "a, b et c"."""
    word = " ou " if either else " et "
    return word.join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def negation(sentence: str) -> str:
    """The opposite of a sentence that has no other."""
    return f"ne remplit pas cette condition\u00a0: ({sentence})"


def _of(noun: str) -> str:
    """A noun with its definite article after "de"."""
    if noun.startswith("le "):
        return f"du {noun[3:]}"
    return f"des {noun[4:]}" if noun.startswith("les ") else f"de {noun}"


def _without(noun: str) -> str:
    """A noun with its indefinite article after "pas": "pas de ville", "pas d’e-mail"."""
    bare = noun.partition(" ")[2]
    return f"d’{bare}" if bare[0] in "aeéiou" else f"de {bare}"


def _choice(condition: Condition, word: str = "ou") -> str:
    values = list(condition.values)
    if condition.more:
        values.append(f"{condition.more} autres valeurs")
    if len(values) < 2:
        return "".join(values)
    return f" {word} ".join([", ".join(values[:-1]), values[-1]])


def _neither(condition: Condition, before: str = "") -> str:
    values = [f"ni {before}{value}" for value in condition.values]
    return " ".join([*values, f"ni {before}{condition.more} autres valeurs"] if condition.more else values)


def _when(condition: Condition) -> str:
    """When a date is."""
    value, length = condition.value, condition.length
    if condition.op == "between":
        return f"entre le {value} et le {condition.values[1]}"
    if condition.op in ("eq", "in"):
        return _choice(Condition("in", tuple(f"le {one}" for one in condition.values), more=condition.more))
    if length is not None:
        return {
            "before": f"il y a plus de {value}",
            "after": f"il y a moins de {value} ou à venir",
            "within_last": length.last,
            "outside": length.outside,
        }.get(condition.op, length.following)
    return {
        "lt": f"avant le {value}",
        "gt": f"après le {value}",
        "lte": f"le {value} ou avant",
        "gte": f"le {value} ou après",
    }[condition.op]


def _qualifier(condition: Condition) -> str:
    """What follows a noun: "contenant « x »", "de plus de 50"."""
    value = condition.value
    if condition.sort in ("date", "length"):
        return _when(condition)
    return {
        "eq": f"de {value}" if condition.sort in ("number", "money") else f"égal à {value}",
        "in": f"de {_choice(condition)}",
        "contains": f"contenant {value}",
        "starts_with": f"commençant par {value}",
        "ends_with": f"se terminant par {value}",
        "gt": f"de plus de {value}",
        "gte": f"d’au moins {value}",
        "lt": f"de moins de {value}",
        "lte": f"d’au plus {value}",
        "between": f"entre {value} et {condition.values[-1] if condition.values else GAP}",
    }[condition.op]


def _predicate(condition: Condition) -> str:
    """What a subject does: "est « x »", "ne contient pas « x »"."""
    op, value, negated = condition.op, condition.value, condition.negated
    be = "n’est pas" if negated else "est"
    if op == "exists":
        return "n’existe pas" if negated else "existe"
    if condition.sort in ("date", "length"):
        return f"{be} {_when(condition)}"
    if op == "in":
        if not condition.values:
            return (
                "n’est aucune des valeurs d’une liste vide"
                if negated
                else "est l’une des valeurs d’une liste vide"
            )
        return f"n’est {_neither(condition)}" if negated else f"est {_choice(condition)}"
    if op == "eq":
        return f"{be} de {value}" if condition.sort in ("number", "money") else f"{be} {value}"
    verbs = {
        "contains": ("contient", "ne contient pas"),
        "starts_with": ("commence par", "ne commence pas par"),
        "ends_with": ("se termine par", "ne se termine pas par"),
    }
    if op in verbs:
        return f"{verbs[op][negated]} {value}"
    return f"{be} {_qualifier(condition)}"


def field(name: str, attribute: bool, condition: Condition) -> str:
    """A field of the contact, or an attribute of the account's own."""
    op, negated = condition.op, condition.negated
    dated = None if attribute else DATED.get(name)
    if dated and condition.sort in ("date", "length"):
        return f"{dated[negated]} {_when(condition)}"
    noun = None if attribute else FIELDS.get(name)
    if noun is None:
        return _attribute(quoted(name), condition)
    bare = noun.one_fr.partition(" ")[2]
    if op in ("eq", "in") and condition.sort not in ("date", "length"):
        if not condition.values:
            which = f"pour {bare} une valeur d’une liste vide"
            return f"n’a pas {which}" if negated else f"a {which}"
        if op == "in" and negated:
            return f"n’a pour {bare} {_neither(condition)}"
        return f"{'n’a pas' if negated else 'a'} pour {bare} {_choice(condition)}"
    tail = "" if op == "exists" else f" {_qualifier(condition)}"
    return f"n’a pas {_without(noun.one_fr)}{tail}" if negated else f"a {noun.one_fr}{tail}"


def _attribute(name: str, condition: Condition) -> str:
    op, have = condition.op, "n’a pas" if condition.negated else "a"
    if op == "exists":
        return f"{have} {name} renseigné"
    if condition.sort in ("date", "length") or op not in ("eq", "in"):
        return f"{have} {name} {_qualifier(condition)}"
    if not condition.values:
        return f"{have} {name} égal à une valeur d’une liste vide"
    if op == "in" and condition.negated:
        return f"n’a {name} égal {_neither(condition, 'à ')}"
    return f"{have} {name} égal à {_choice(condition)}"


def consent(channel: str, value: str, negated: bool) -> str:
    """What the contact consented to."""
    what = f"de recevoir {_CHANNELS.get(channel, GAP)}"
    if value == "pending":
        return f"a accepté ou refusé {what}" if negated else f"n’a encore ni accepté ni refusé {what}"
    verb = {"opted_in": "accepté", "opted_out": "refusé"}.get(value, GAP)
    return f"{'n’a pas' if negated else 'a'} {verb} {what}"


def tag(name: str, negated: bool) -> str:
    return f"{'ne porte pas' if negated else 'porte'} l’étiquette {name}"


def on_list(name: str, negated: bool) -> str:
    return f"{'n’est pas' if negated else 'est'} dans la liste {name}"


def in_segment(name: str, negated: bool) -> str:
    return f"{'n’est pas' if negated else 'est'} dans le segment {name}"


def in_journey(name: str, step: str | None, op: str, negated: bool) -> str:
    """Where the contact stands or stood in a journey."""
    if step is not None:
        return f"{_AT_STEPS[op][negated]} {step} du scénario {name}"
    verb = _JOURNEYS[op][negated]
    return (
        f"{verb.removesuffix(' de')} du scénario {name}"
        if verb.endswith(" de")
        else f"{verb} le scénario {name}"
    )


def _number(value: int | Decimal | float | None) -> str:
    return GAP if value is None else amounts.quantity(value, code)


def _several(count: Count, word: str = "ou") -> str:
    said = [_number(one) for one in count.numbers] or [GAP]
    return said[0] if len(said) == 1 else f" {word} ".join([", ".join(said[:-1]), said[-1]])


def _how_many(count: Count) -> tuple[str, str]:
    """What stands before the thing counted, in a whole number and as another number."""
    first = _several(count)
    before = {
        "gt": f"plus de {first}",
        "gte": f"au moins {first}",
        "lt": f"moins de {first}",
        "lte": f"au plus {first}",
        "eq": f"exactement {first}",
        "in": first,
        "between": f"entre {_several(count, 'et')}",
    }.get(count.op, "")
    return before, "" if before else _several(count, "et")


def _done(done: Act, count: Count) -> str:
    """The act and how often, without what it was done to."""
    if count.none:
        return done.never
    if count.some:
        return f"{done.did} au moins {done.thing}" if done.many else f"{done.did} {done.thing}"
    before, other = _how_many(count)
    if not done.many:
        often = f"{before} fois" if before else f"un nombre de fois autre que {other}"
        nothing = " (ou jamais)" if count.takes_none else ""
        return f"{done.did} {often}{nothing} {done.thing}"
    nothing = (" (ou aucune)" if done.feminine else " (ou aucun)") if count.takes_none else ""
    if not before:
        return f"{done.did} un nombre {_of_bare(done.many)} autre que {other}{nothing}"
    one = count.op != "between" and all(number is not None and -2 < number < 2 for number in count.numbers)
    return f"{done.did} {before} {done.bare if one else done.many}{nothing}"


def _of_bare(noun: str) -> str:
    return f"d’{noun}" if noun[0] in "aeéiou" else f"de {noun}"


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
            short += " (par une machine)" if machine else " (par une personne)"
        else:
            said.append(f"dont {_the(one.property)} {_predicate(test)}")
    return short + "".join(f" {'et ' if place else ''}{text}" for place, text in enumerate(said))


def _window(window: Window | None) -> str:
    if window is None:
        return ""
    if window.length is not None:
        return f" {window.length.last}"
    since, until, last_day = window.since, window.until, window.last_day
    if since is None:
        return f" jusqu’au {last_day} inclus" if last_day else f" avant le {until}"
    if last_day or until:
        return f" du {since} au {last_day or until}"
    return f" depuis le {since}"


def _aggregate(asked: Aggregate) -> str:
    noun, test = f"{_AGGREGATES[asked.kind]} {_of(_the(asked.property))}", asked.condition
    if test.op == "exists":
        return f", {noun} n’existant pas" if test.negated else f", {noun} existant"
    if test.op == "in":
        if not test.values:
            return f", {noun} étant l’une des valeurs d’une liste vide"
        return (
            f", {noun} n’étant {_neither(test, 'de ')}"
            if test.negated
            else f", {noun} étant de {_choice(test)}"
        )
    return f", {noun} {'n’étant pas' if test.negated else 'étant'} {_qualifier(test)}"


def did(done: Done) -> str:
    """What the contact did, how often, of what kind and when."""
    text = _done(act(done.event, code, quoted(done.event)), done.count)
    text += _filters(done.event, done.filters) + _window(done.window)
    if done.run:
        text += " depuis son entrée dans ce scénario"
    return text + (_aggregate(done.aggregate) if done.aggregate else "")
