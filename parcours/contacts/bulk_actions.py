"""What can be done to many contacts at once: each action checks what it is told, then changes one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parcours.accounts.models import Account
from parcours.contacts import actions, attributes, normalise, queries
from parcours.contacts.lines import CHANNELS, whole_id
from parcours.contacts.models import ConsentValue, Contact, List
from parcours.contacts.normalise import Unfit
from parcours.lib.lines import is_line
from parcours.lib.problems import Fault, Invalid

_LONGEST_TAG = 100


@dataclass(slots=True)
class Outcome:
    """What became of a batch: whom it changed, whom it did not and why, and whose opt-out was left alone."""

    changed: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    kept_opted_out: int = 0


@dataclass(frozen=True, slots=True)
class Doing:
    """What an action needs beside its batch."""

    account: Account
    said: Mapping[str, Any]
    proof: Mapping[str, Any]
    now: datetime


Check = Callable[[Account, Mapping[str, Any]], dict[str, Any]]
Apply = Callable[[Doing, Sequence[int]], Outcome]


@dataclass(frozen=True)
class Action:
    """An action: its name for people, what checks what it is told, what changes a batch, and what undoes it."""

    label: Promise | str
    check: Check
    apply: Apply
    undo: Apply | None = None


def _refuse(pointer: str, detail: str) -> Invalid:
    return Invalid(detail, [Fault(pointer=pointer, detail=detail)])


def _check_list(account: Account, said: Mapping[str, Any]) -> dict[str, Any]:
    found = List.objects.filter(account=account, pk=whole_id(said.get("list")) or 0).first()
    if found is None:
        raise _refuse("/list", _("There is no such list."))
    return {"list": str(found.pk), "name": found.name}


def _check_tag(account: Account, said: Mapping[str, Any]) -> dict[str, Any]:
    return {"tag": tag_name(said.get("tag"), pointer="/tag")}


def tag_name(given: Any, *, pointer: str = "/tag") -> str:
    """A tag's name, normalised. Raises Invalid for one that cannot be."""
    try:
        name = normalise.text(given, longest=_LONGEST_TAG) if isinstance(given, str) else ""
    except Unfit as error:
        raise _refuse(pointer, str(error)) from error
    if not name or not is_line(name):
        raise _refuse(pointer, _("A tag is a line of at most 100 characters."))
    return name


def _check_replace(account: Account, said: Mapping[str, Any]) -> dict[str, Any]:
    before, after = tag_name(said.get("tag")), tag_name(said.get("by"), pointer="/by")
    if before == after:
        raise _refuse("/by", _("This is the tag's present name."))
    return {"tag": before, "by": after}


def _check_attribute(account: Account, said: Mapping[str, Any]) -> dict[str, Any]:
    name, value = said.get("name"), said.get("value")
    kind = queries.attribute_types(account.pk).get(name) if isinstance(name, str) else None
    if kind is None:
        raise _refuse("/name", _("There is no such attribute."))
    try:
        fitted = attributes.fit(value, kind, zone=account.timezone, cell=isinstance(value, str))
    except Unfit as error:
        raise _refuse("/value", str(error)) from error
    return {"name": name, "value": fitted}


def _check_consent(account: Account, said: Mapping[str, Any]) -> dict[str, Any]:
    faults = []
    channel, value = said.get("channel"), said.get("value")
    source = said.get("source")
    source = source.strip()[:200] if isinstance(source, str) else ""
    if channel not in CHANNELS:
        faults.append(Fault(pointer="/channel", detail=_("There is no such channel.")))
    if value not in ConsentValue.values:
        faults.append(Fault(pointer="/value", detail=_("A consent is opted_in, opted_out or pending.")))
    if not source or "\0" in source:
        faults.append(Fault(pointer="/source", detail=_("Say where this consent comes from.")))
    if faults:
        raise Invalid(" ".join(fault["detail"] for fault in faults), faults)
    return {
        "channel": channel,
        "value": value,
        "source": source,
        "resubscribe": said.get("resubscribe") is True,
    }


def _nothing_to_say(account: Account, said: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _add_to_list(doing: Doing, ids: Sequence[int]) -> Outcome:
    joined = actions.add_to_list(
        account_id=doing.account.pk,
        list_id=int(doing.said["list"]),
        contact_ids=ids,
        source="bulk",
        now=doing.now,
    )
    return Outcome(changed=joined)


def _remove_from_list(doing: Doing, ids: Sequence[int]) -> Outcome:
    left = actions.remove_from_list(
        account_id=doing.account.pk,
        list_id=int(doing.said["list"]),
        contact_ids=ids,
        source="bulk",
        now=doing.now,
    )
    return Outcome(changed=left)


def _add_tag(doing: Doing, ids: Sequence[int], *, tag: str = "") -> Outcome:
    tagged = actions.add_tags(
        account=doing.account, contact_ids=ids, tags=[tag or doing.said["tag"]], source="bulk", now=doing.now
    )
    return Outcome(changed=tagged)


def _remove_tag(doing: Doing, ids: Sequence[int], *, tag: str = "") -> Outcome:
    untagged = actions.remove_tags(
        account_id=doing.account.pk,
        contact_ids=ids,
        tags=[tag or doing.said["tag"]],
        source="bulk",
        now=doing.now,
    )
    return Outcome(changed=untagged)


def _replace_tag(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Those who bear the tag bear the other one instead."""
    taken = _remove_tag(doing, ids)
    _add_tag(doing, taken.changed, tag=doing.said["by"])
    return taken


def _set_attribute(doing: Doing, ids: Sequence[int]) -> Outcome:
    name, value = f"attributes.{doing.said['name']}", doing.said["value"]
    done = actions.update_fields(doing.account, ids, sets={name: value}, source="bulk", now=doing.now)
    return Outcome(changed=done.changed, refused=done.refused)


def _set_consent(doing: Doing, ids: Sequence[int]) -> Outcome:
    channel, value = doing.said["channel"], doing.said["value"]
    kept: set[int] = set()
    if value != ConsentValue.OPTED_OUT and not doing.said["resubscribe"]:
        kept = set(
            Contact.objects.filter(
                pk__in=list(ids), **{f"consent_{channel}": ConsentValue.OPTED_OUT}
            ).values_list("pk", flat=True)
        )
    changed = actions.set_consent(
        account_id=doing.account.pk,
        contact_ids=[each for each in ids if each not in kept],
        channel=channel,
        value=value,
        source=doing.said["source"],
        proof=doing.proof,
        now=doing.now,
    )
    return Outcome(changed=changed, kept_opted_out=len(kept))


def _erase(doing: Doing, ids: Sequence[int]) -> Outcome:
    return Outcome(changed=actions.erase(account_id=doing.account.pk, contact_ids=ids, now=doing.now))


ACTIONS: dict[str, Action] = {
    "add_to_list": Action(gettext_lazy("Put on a list"), _check_list, _add_to_list, undo=_remove_from_list),
    "remove_from_list": Action(
        gettext_lazy("Take off a list"), _check_list, _remove_from_list, undo=_add_to_list
    ),
    "add_tag": Action(gettext_lazy("Add a tag"), _check_tag, _add_tag, undo=_remove_tag),
    "remove_tag": Action(gettext_lazy("Remove a tag"), _check_tag, _remove_tag, undo=_add_tag),
    "replace_tag": Action(gettext_lazy("Replace a tag"), _check_replace, _replace_tag),
    "set_attribute": Action(gettext_lazy("Set an attribute"), _check_attribute, _set_attribute),
    "set_consent": Action(gettext_lazy("Record a consent"), _check_consent, _set_consent),
    "erase": Action(gettext_lazy("Erase these people"), _nothing_to_say, _erase),
}
