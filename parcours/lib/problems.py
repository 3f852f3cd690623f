"""What went wrong, said to the person or program that must act (RFC 9457 problem documents in the API)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class Fault(TypedDict):
    """One thing wrong in what was sent: where (a JSON Pointer, RFC 6901) and what."""

    pointer: str
    detail: str


class Problem(Exception):
    """An answer other than the one asked for.

    `kind` is the problem's type, a short stable word (`not-found`, `invalid`, `plan-required`); `detail` is a
    sentence in the reader's language; `errors` are all the faults found in the request; `more` are members of its own.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.more = dict(more or {})


class Invalid(Problem):
    """422: the request could be read but says something that cannot be; every fault is listed."""

    def __init__(self, detail: str, errors: Sequence[Fault]) -> None:
        super().__init__(422, "invalid", detail, errors=errors)


class NotFound(Problem):
    """404: nothing of that id in the caller's account (another account's ids read exactly the same)."""

    def __init__(self, detail: str) -> None:
        super().__init__(404, "not-found", detail)
