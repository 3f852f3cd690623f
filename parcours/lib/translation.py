"""Words in the reader's language, for the pure cores, which do not know Django."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext, pgettext

__all__ = ["gettext", "ngettext", "pgettext"]
