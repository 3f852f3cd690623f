"""What a read may not say, beyond what `readonly` already refuses.

`readonly = 1` refuses tables and functions that reach outside (`file()`, `url()`, `postgresql()`…), but the scalar
function `file('/etc/passwd')`, `INTO OUTFILE` and `KILL` pass it. Reads are written by this program with bound
values, so nothing here should ever be met; it is the second lock on the door.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    rb"""
      --[^\n]*                                    # comments
    | \#[!\ ][^\n]*
    | /\*.*?\*/
    | '(?:[^'\\]|\\.|'')*'                        # texts
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | `(?P<back>(?:[^`\\]|\\.|``)*)`              # quoted names
    | "(?P<double>(?:[^"\\]|\\.|"")*)"
    | (?P<word>[A-Za-z_]\w*)
    | (?P<other>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_FIRST = frozenset({"select", "with", "explain", "describe", "desc", "show", "exists"})
_WORDS = frozenset({"outfile", "infile"})
#: Table functions, and scalar ones, that reach outside the store; `readonly` refuses most of them, too.
_FUNCTIONS = re.compile(
    r"^(?:file|filesystem|eval|executable|python|input|dictionary|url|remote|remotesecure|.*cluster"
    r"|clusterallreplicas|s3|gcs|cosn|oss|hdfs|azureblobstorage|bigquery|arrow\w+|deltalake\w*|iceberg\w*"
    r"|hudi\w*|paimon\w*|postgresql|mysql|sqlite|mongodb|redis|odbc|jdbc|ytsaurus|prometheus\w+|fuzz\w+"
    r"|ai(?:redact|similarity|filter|classify|embed|extract|generate|translate)|catboost\w+"
    r"|getclienthttpheader)$"
)


class Refused(ValueError):
    """A statement that the reader may not run."""


def check_read(statement: bytes) -> None:
    """Raise Refused unless the statement only reads what the store holds."""
    first = True
    name = b""
    for token in _TOKEN.finditer(statement):
        quoted = token["back"] if token["back"] is not None else token["double"]
        word = token["word"] or quoted
        if word is None:
            if token["other"] == b"(" and name and _FUNCTIONS.match(name.decode(errors="replace").lower()):
                raise Refused(f"A read may not call {name.decode(errors='replace')}().")
            if token["other"] is not None:
                first = first and token["other"] == b"("
                name = b""
            continue
        if first and word.decode(errors="replace").lower() not in _FIRST:
            raise Refused("A read begins with SELECT or WITH.")
        if quoted is not None and b"\\" in quoted:
            raise Refused("A read names nothing with a backslash.")
        if quoted is None and word.lower().decode() in _WORDS:
            raise Refused("A read writes no file.")
        first, name = False, word
