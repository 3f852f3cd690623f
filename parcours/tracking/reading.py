"""JSON from anybody, made what the journal and the databases can keep."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from parcours.tracking.refusals import Reason, Refused

DEPTH_LIMIT = 32
_objects = msgspec.json.Decoder(dict[str, Any])


def read_object(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """A JSON object that the journal can keep.

    NUL characters are left out and halves of surrogate pairs, which JavaScript writes, become U+FFFD: neither
    can be stored as text. Raises Refused.
    """
    data = bytes(raw)
    try:
        value = _objects.decode(data)
    except RecursionError:
        raise Refused(Reason.TOO_DEEP, f"Objects and lists may be nested {DEPTH_LIMIT} deep.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = _read_leniently(data)
    if data.count(b"{") + data.count(b"[") > DEPTH_LIMIT and _depth(value) > DEPTH_LIMIT:
        raise Refused(Reason.TOO_DEEP, f"Objects and lists may be nested {DEPTH_LIMIT} deep.")
    if b"\\u0000" in data:
        value = _clean(value)
    return value


def _refuse_constant(text: str) -> Any:
    raise Refused(Reason.NOT_JSON, f"{text} is not JSON.")


def _read_leniently(data: bytes) -> dict[str, Any]:
    """Read what the quick reader refuses: to tell why, or because only half a surrogate pair was wrong."""
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise Refused(Reason.NOT_JSON, "The call is not UTF-8.") from None
    except RecursionError:
        raise Refused(Reason.TOO_DEEP, f"Objects and lists may be nested {DEPTH_LIMIT} deep.") from None
    except json.JSONDecodeError as error:
        raise Refused(
            Reason.NOT_JSON, f"The call is not JSON: {error.msg} at character {error.pos}."
        ) from None
    except ValueError:
        raise Refused(Reason.NUMBER, "A number has too many digits.") from None
    if not isinstance(value, dict):
        raise Refused(Reason.NOT_AN_OBJECT, "A call must be a JSON object.")
    if _depth(value) > DEPTH_LIMIT:
        raise Refused(Reason.TOO_DEEP, f"Objects and lists may be nested {DEPTH_LIMIT} deep.")
    return _clean(value)


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level and deepest <= DEPTH_LIMIT:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        deepest += any(isinstance(item, (dict, list)) for item in level)
        level = inner
    return deepest


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise Refused(Reason.NUMBER, "A number is out of range.")
    return value
