"""Why an import refused lines, in the words of its file; and the file of these lines, to be mended and sent again."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from parcours.contacts.importing import keeping
from parcours.contacts.importing.formats import CSV, Format
from parcours.contacts.importing.models import Import
from parcours.contacts.lines import fault_of
from parcours.contacts.upserting import Refusal
from parcours.lib.exports import csv_lines

#: Of a header, so much is told.
_LONGEST_HEADER = 100


class Columns:
    """The columns of a file, by what faults of a contact point to."""

    def __init__(self, found: Format) -> None:
        self._headers: dict[str, list[str]] = defaultdict(list)
        if found.kind == CSV:
            for header, field in zip(found.headers, found.fields, strict=False):
                if field:
                    pointer = "/consents" if field.startswith("consents.") else fault_of(field, "")["pointer"]
                    self._headers[pointer].append(header[:_LONGEST_HEADER])

    def reason(self, refusal: Refusal) -> str:
        """Why a line is refused, under the headers that its sender knows; as it stands where there are none."""
        if not all(fault["pointer"] in self._headers for fault in refusal.faults):
            return refusal.reason
        said = [
            _("%(field)s: %(fault)s")
            % {"field": ", ".join(self._headers[fault["pointer"]]), "fault": fault["detail"]}
            for fault in refusal.faults
        ]
        return " ".join(said)


def lines(imported: Import) -> Iterator[bytes]:
    """CSV: the number of the line and why it was refused, then its cells under the file's own headers.

    Of a file that is no CSV, the line as it stands.
    """
    found = _format(imported)
    headers = found.headers if found and found.kind == CSV else [_("content")]
    return csv_lines([_("line"), _("reason"), *headers], _rows(imported, found))


def _format(imported: Import) -> Format | None:
    return Format(**imported.job.parameters["format"]) if imported.job else None


def _rows(imported: Import, found: Format | None) -> Iterator[list[Any]]:
    for each in keeping.refused_lines(imported):
        yield [each.number, each.reason, *_cells(each.raw, found)]


def _cells(raw: str, found: Format | None) -> list[str]:
    if found is None or found.kind != CSV:
        return [raw.rstrip("\r\n")]
    reader = csv.reader(io.StringIO(raw, newline=""), delimiter=found.delimiter, quotechar=found.quote)
    try:
        return next(reader, [])
    except csv.Error:
        return [raw.rstrip("\r\n")]
