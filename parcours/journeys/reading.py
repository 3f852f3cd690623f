"""Reads the values of a journey's document, and gathers what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from parcours.journeys import times
from parcours.journeys.document import Names
from parcours.journeys.steps.base import Kind
from parcours.lib.durations import DurationError, parse_duration
from parcours.lib.problems import Fault, Invalid
from parcours.lib.translation import gettext as _


def escape(part: str | int) -> str:
    """One part of a JSON Pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


class ValueReader:
    """Each method reads one value, which stands at a JSON Pointer, and answers something to go on with."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.faults: list[Fault] = []

    def fault(self, pointer: str, detail: str) -> None:
        self.faults.append({"pointer": pointer, "detail": detail})

    def unknown(self, given: Mapping[str, Any], known: tuple[str, ...] | set[str], pointer: str) -> None:
        for name in given:
            if name not in known:
                self.fault(f"{pointer}/{escape(name)}", _("“%(name)s” is not known here.") % {"name": name})

    def value(self, kind: Kind, given: Any, pointer: str, ids: set[str]) -> Any:
        match kind:
            case Kind.DURATION:
                return self.duration(given, pointer)
            case Kind.CRITERIA:
                return self.criteria(given, pointer)
            case Kind.EVENT:
                return self.event(given, pointer)
            case Kind.WHERE:
                return self.read_where(given, pointer)
            case Kind.STEP:
                return self.target(given, pointer, ids)
            case Kind.MESSAGE:
                return self.message(given, pointer)
            case Kind.LIST:
                return self.list_id(given, pointer)
            case Kind.VALUES | Kind.NUMBERS:
                return self.assignments(given, pointer, numbers=kind is Kind.NUMBERS)
            case Kind.NAMES:
                return self.field_names(given, pointer)

    def duration(self, given: Any, pointer: str) -> str:
        try:
            if parse_duration(given) > times.LONGEST:
                self.fault(pointer, _("a time of more than ten years is too long."))
        except DurationError:
            self.fault(pointer, _("a duration is a whole number and s, m, h, d or w, such as “3d”."))
            return "0s"
        except OverflowError:
            self.fault(pointer, _("a time of more than ten years is too long."))
            return "0s"
        return str(given)

    def criteria(self, given: Any, pointer: str, *, in_run: bool = True) -> Any:
        return self._inner(lambda: self.names.criteria(given, in_run=in_run), pointer)

    def where(self, given: Any, pointer: str, *, in_run: bool) -> Any:
        return self.read_where([] if given is None else given, f"{pointer}/where", in_run=in_run)

    def read_where(self, given: Any, pointer: str, *, flat: bool = False, in_run: bool = True) -> Any:
        return self._inner(lambda: self.names.where(given, in_run=in_run), pointer, drop="/0" if flat else "")

    def _inner(self, read: Callable[[], Any], pointer: str, *, drop: str = "") -> Any:
        try:
            return read()
        except Invalid as invalid:
            for fault in invalid.errors:
                self.fault(pointer + fault["pointer"].removeprefix(drop), fault["detail"])
            return None

    def event(self, given: Any, pointer: str) -> str:
        if not isinstance(given, str) or not given:
            self.fault(pointer, _("an event's name is missing."))
            return ""
        refused = self.names.refused_event(given)
        if refused:
            self.fault(pointer, refused)
        return given

    def target(self, given: Any, pointer: str, ids: set[str]) -> str | None:
        if given is None:
            return None
        if not isinstance(given, str) or given not in ids:
            self.fault(pointer, _("it leads to “%(to)s”, which does not exist.") % {"to": given})
            return None
        return given

    def reference(self, given: Mapping[str, Any], name: str, pointer: str) -> int:
        number = whole(given.get(name))
        exists = self.names.has_list if name == "list" else self.names.has_segment
        if not number or not exists(number):
            text = _("There is no such list.") if name == "list" else _("There is no such segment.")
            self.fault(f"{pointer}/{name}", text)
        return number

    def message(self, given: Any, pointer: str) -> int:
        number = whole(given)
        channel = self.names.channel_of(number) if number else None
        if channel is None:
            self.fault(pointer, _("there is no such message."))
        elif channel != "email":
            self.fault(pointer, _("this message is not an e-mail."))
        return number

    def list_id(self, given: Any, pointer: str) -> int:
        number = whole(given)
        if not number or not self.names.has_list(number):
            self.fault(pointer, _("there is no such list."))
        return number

    def assignments(self, given: Any, pointer: str, *, numbers: bool) -> Any:
        if not isinstance(given, dict):
            self.fault(pointer, _("it is an object of fields and values."))
            return {}
        for name, value in given.items():
            self.field_name(name, f"{pointer}/{escape(name)}")
            if numbers and (isinstance(value, bool) or not isinstance(value, int | float)):
                self.fault(f"{pointer}/{escape(name)}", _("only a number can be added."))
            if numbers and not name.startswith("attributes."):
                self.fault(f"{pointer}/{escape(name)}", _("only attributes can be added to."))
        return given

    def field_names(self, given: Any, pointer: str) -> Any:
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            self.fault(pointer, _("it is a list of fields."))
            return []
        for place, name in enumerate(given):
            self.field_name(name, f"{pointer}/{place}")
        return given

    def field_name(self, name: str, pointer: str) -> None:
        refused = self.names.refused_field(name)
        if refused:
            self.fault(pointer, refused)


def whole(given: Any) -> int:
    """An id as JSON writes it, a text or a number; 0 when it cannot be one."""
    if isinstance(given, bool):
        return 0
    if isinstance(given, int):
        return given if 0 < given < 2**63 else 0
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 19:
        return int(given)
    return 0
