"""Places at which a trial may end this process, as `kill -9` would, between two instructions.

`PARCOURS_CRASH_AT="digest.composed:2"` ends the process at the second passing of that point; a star in
the name stands for anything, so that `digest.*:7` is the seventh boundary of the digest, whichever it is.
Unset, a point costs one comparison.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from itertools import count

EXIT_CODE = 137  # what a shell reports of a process ended by kill -9


class _Armed:
    """What this process dies at."""

    pattern = ""
    fatal = 1
    passings = count(1)


def arm(spec: str) -> None:
    """Die at a boundary from now on: "name:n", or "" for none."""
    _Armed.pattern, _, number = spec.partition(":")
    _Armed.fatal = int(number or 1)
    _Armed.passings = count(1)


def point(name: str) -> None:
    """Say that a boundary was reached; the process ends here when the environment asks for it."""
    if _Armed.pattern and fnmatchcase(name, _Armed.pattern) and next(_Armed.passings) == _Armed.fatal:
        os._exit(EXIT_CODE)


arm(os.environ.get("PARCOURS_CRASH_AT", ""))
