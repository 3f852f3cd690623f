"""Liquid with limits: what a template may do, for how long, and how much it may write.

Templates see plain data only (dicts, lists, texts, numbers), never an object of ours. There is no include and no
way to switch the escaping off. `output`, `loops` and `depth` are python-liquid's own limits; time and the size of
what one filter makes are watched here, because a chain of filters can grow a text without any loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any, TextIO

from django.utils.translation import gettext as _
from liquid import Environment, Markup
from liquid.context import RenderContext
from liquid.exceptions import (
    LiquidError,
    LiquidSyntaxError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
)
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate

from parcours.lib import clock
from parcours.messaging.rendering import tokens

OUTPUT_CHARACTERS = 1_000_000
LOOP_ITERATIONS = 20_000
DEPTH = 20
SECONDS = 1.0
VALUE_SIZE = 1_000_000
ITEMS = 20_000
SOURCE_BYTES = 1_000_000

#: No include of any kind; `safe` would let a contact's data pass for markup.
_REMOVED_TAGS = ("include", "render")
_REMOVED_FILTERS = ("safe",)


class TemplateError(ValueError):
    """A template that cannot be read or ran out of its limits; `line` counts from 1, None when unknown."""

    def __init__(self, detail: str, line: int | None = None, *, limit: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.line = line
        self.limit = limit  # it ran out of its limits, whatever the contact


class _OutOfTime(ResourceLimitError):
    """A template ran longer than its budget."""


class _Buffer(LimitedStringIO):
    """Output within its limit, counted in characters: encoding each piece to count its bytes costs too much."""

    def write(self, text: str) -> int:
        self.size += len(text)
        if self.size > self.limit:
            raise OutputStreamLimitError("output stream limit reached", token=None)
        return StringIO.write(self, text)


class _Context(RenderContext):
    """A render context that knows its deadline (machine time)."""

    __slots__ = ("deadline", "iterations")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = time.monotonic() + SECONDS
        self.iterations = 0

    def check(self) -> None:
        if time.monotonic() > self.deadline:
            raise _OutOfTime("time limit reached", token=None)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        # The library multiplies the nested loops' lengths; loops that follow each other count together here.
        self.iterations += length
        if self.iterations > LOOP_ITERATIONS:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)
        self.check()
        super().raise_for_loop_limit(length)

    def get_size_of_locals(self) -> int:
        return sum(_size(value) for value in self.locals.values()) + self.local_namespace_size_carry

    def assign(self, key: str, val: Any) -> None:
        self.check()
        super().assign(key, val)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        return _Buffer(OUTPUT_CHARACTERS - (buf.size if isinstance(buf, _Buffer) else 0))


class _Template(BoundTemplate):
    context_class = _Context

    def _get_buffer(self) -> StringIO:
        return _Buffer(OUTPUT_CHARACTERS)


def _size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict):
        return 8 * len(value)
    return 8


def _too_big(value: object) -> bool:
    if isinstance(value, str):
        return len(value) > VALUE_SIZE
    if isinstance(value, int):
        return value.bit_length() > 4096
    if isinstance(value, list | tuple | range | dict):
        return len(value) > ITEMS
    return False


def _grows_too_big(name: str, value: object, arguments: tuple[object, ...]) -> bool:
    """Whether a filter that multiplies its input would make too much; asked before it does."""
    if not arguments:
        return False
    if name.startswith("replace"):
        return (len(str(value)) + 1) * len(str(arguments[-1])) > VALUE_SIZE
    if name == "join" and isinstance(value, list | tuple | range):
        return len(value) * len(str(arguments[0])) > VALUE_SIZE
    return False


def _limited(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """The same filter within the limits."""
    wants_context = getattr(function, "with_context", False)

    def limited(value: object, *arguments: object, context: _Context, **named: object) -> object:
        context.check()
        if any(map(_too_big, (value, *arguments))) or _grows_too_big(name, value, arguments):
            raise OutputStreamLimitError("a value is too large", token=None)
        if wants_context:
            named["context"] = context
        result = function(value, *arguments, **named)
        if _too_big(result):
            raise OutputStreamLimitError("a value is too large", token=None)
        return result

    limited.with_context = True  # type: ignore[attr-defined]
    if getattr(function, "with_environment", False):
        limited.with_environment = True  # type: ignore[attr-defined]
    return limited


class _Clock(Mapping[str, object]):
    """`now` and `today` in templates are the product's."""

    def __getitem__(self, key: str) -> object:
        if key == "now":
            return clock.now()
        if key == "today":
            return clock.now().date()
        raise KeyError(key)

    def __iter__(self) -> Any:
        return iter(("now", "today"))

    def __len__(self) -> int:
        return 2


class _Environment(Environment):
    template_class = _Template
    output_stream_limit = OUTPUT_CHARACTERS
    loop_iteration_limit = LOOP_ITERATIONS
    local_namespace_limit = 4 * VALUE_SIZE
    context_depth_limit = DEPTH
    block_nesting_limit = DEPTH


def _click(address: object, link: object, *, context: RenderContext) -> object:
    """The redirect to an address computed in the template; written by us alone (see `links`)."""
    target = " ".join(str(Markup(address).unescape() if isinstance(address, Markup) else address).split())
    send = context.resolve("pc_send")
    if not isinstance(send, int) or not isinstance(link, int) or send == 0:
        return target
    return Markup(tokens.dynamic_click_url(send, link, target))


_click.with_context = True  # type: ignore[attr-defined]


def _environment(*, autoescape: bool) -> Environment:
    environment = _Environment(autoescape=autoescape, globals=_Clock())
    for tag in _REMOVED_TAGS:
        del environment.tags[tag]
    for name in _REMOVED_FILTERS:
        del environment.filters[name]
    of_date = environment.filters["date"]

    def date(value: object, *arguments: object, **named: object) -> object:
        if value in ("now", "today"):
            value = clock.now()
        return of_date(value, *arguments, **named)

    for attribute in ("with_context", "with_environment"):
        if getattr(of_date, attribute, False):
            setattr(date, attribute, True)
    environment.filters["date"] = date
    environment.filters["pc_click"] = _click
    for name, function in list(environment.filters.items()):
        environment.filters[name] = _limited(name, function)
    return environment


#: For HTML: every value is escaped. For subjects and text parts: values are as they are.
HTML = _environment(autoescape=True)
TEXT = _environment(autoescape=False)


def explain(error: LiquidError, source: str | None = None) -> TemplateError:
    """The library's error as a sentence with its line; `source` is what lines are counted in when it says."""
    context = error.context() if error.token is not None else None
    line = context[0] if context else None
    if isinstance(error, _OutOfTime):
        return TemplateError(_("The template takes too long."), line, limit=True)
    if isinstance(error, LoopIterationLimitError):
        return TemplateError(_("The template's loops turn too many times."), line, limit=True)
    if isinstance(error, OutputStreamLimitError | LocalNamespaceLimitError):
        return TemplateError(_("The template writes too much."), line, limit=True)
    if isinstance(error, LiquidSyntaxError):
        return TemplateError(_("The Liquid code cannot be read: %(why)s.") % {"why": error.message}, line)
    return TemplateError(_("The Liquid code cannot be run: %(why)s.") % {"why": error.message}, line)


def parse(source: str, *, environment: Environment = HTML) -> BoundTemplate:
    """A template ready to render. Raises TemplateError with the line."""
    if len(source.encode("utf-8", "replace")) > SOURCE_BYTES:
        raise TemplateError(_("The template is too long: 1 MB at most."))
    try:
        template = environment.from_string(source)
    except LiquidError as error:
        raise explain(error) from error
    except RecursionError as error:
        raise TemplateError(_("The template is nested too deeply.")) from error
    return template


def render(template: BoundTemplate, context: Mapping[str, object]) -> str:
    """The template's output for a context of plain data. Raises TemplateError; nothing else gets out."""
    try:
        return template.render(context)
    except LiquidError as error:
        raise explain(error) from error
    except RecursionError as error:
        raise TemplateError(_("The template is nested too deeply.")) from error
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, MemoryError) as error:
        # A filter met a value that it does not take: the library lets some Python errors through.
        raise TemplateError(_("The Liquid code cannot be run: %(why)s.") % {"why": error}) from error
