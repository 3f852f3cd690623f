"""In which languages and at which widths what users do is walked through.

A French window and an English phone are walked at each run; `PARCOURS_WAYS=all` walks both languages at both widths.
"""

from __future__ import annotations

import os

import pytest

WAYS = [("fr", 1440), ("en", 390)]
if os.environ.get("PARCOURS_WAYS") == "all":
    WAYS += [("fr", 390), ("en", 1440)]

#: What a test of `language` and `width` is marked with.
each_way = pytest.mark.parametrize(("language", "width"), WAYS)
