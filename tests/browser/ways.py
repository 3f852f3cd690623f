"""In which languages and at which widths what users do is walked through.

A French window and an English phone are walked at each run, what takes long on the phone alone; `PARCOURS_WAYS=all`
walks both languages at both widths.
"""

from __future__ import annotations

import os

import pytest

ALL = [("fr", 1440), ("en", 390), ("fr", 390), ("en", 1440)]
_everywhere = os.environ.get("PARCOURS_WAYS") == "all"

#: What a test of `language` and `width` is marked with.
each_way = pytest.mark.parametrize(("language", "width"), ALL if _everywhere else ALL[:2])
long_way = pytest.mark.parametrize(("language", "width"), ALL if _everywhere else ALL[1:2])
