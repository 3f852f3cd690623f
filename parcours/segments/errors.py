"""Why a segment could not be computed, said in the reader's language.

What is kept is a code, and what the machine said. Criteria that cannot be used are read again when that is shown: they
say what is wrong with them as it is now.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from parcours.lib.problems import Fault, Invalid
from parcours.segments import compute
from parcours.segments.models import Segment


def faults(segment: Segment) -> list[Fault]:
    """What is wrong, each with its place in the criteria where it has one; empty when the segment could be computed."""
    if not segment.error:
        return []
    if segment.error == Segment.Error.FAILURE:
        said = _("the computation failed, and is tried again within a minute. The machine said: %(said)s")
        return [Fault(pointer="", detail=said % {"said": segment.error_detail})]
    try:
        compute.parsed(segment)
    except Invalid as refusal:
        return refusal.errors
    return [Fault(pointer="", detail=_("What was wrong is mended: it is computed again shortly."))]


def said(segment: Segment) -> str:
    """The faults in a line, with their places; empty when the segment could be computed."""
    return "; ".join(
        f"{fault['pointer']}: {fault['detail']}" if fault["pointer"] else fault["detail"]
        for fault in faults(segment)
    )
