"""The form in which a segment is written."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from parcours.lib.problems import Invalid
from parcours.segments.actions import LONGEST_NAME

LONGEST_CRITERIA = 200_000


class SegmentForm(forms.Form):
    """A name, and criteria as the JSON of the API."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    criteria = forms.CharField(
        label=_("Criteria"),
        max_length=LONGEST_CRITERIA,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "class": "font-monospace"}),
        help_text=_("In the criteria language of the API, as JSON."),
    )

    def clean_criteria(self) -> Any:
        """The criteria as a document; a text that is no JSON says where it breaks."""
        try:
            return read(self.cleaned_data["criteria"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def refuse(self, refusal: Invalid) -> None:
        """Show what the criteria say that cannot be, each fault with its place."""
        for fault in refusal.errors:
            if fault["pointer"] == "/name":
                self.add_error("name", fault["detail"])
            else:
                place = fault["pointer"].removeprefix("/criteria") or "/"
                said = _("%(place)s: %(detail)s") % {"place": place, "detail": fault["detail"]}
                self.add_error("criteria", said)


class FolderForm(forms.Form):
    """A folder's name."""

    name = forms.CharField(label=_("Name"), max_length=200)

    def refuse(self, refusal: Invalid) -> None:
        """Show what cannot be."""
        for fault in refusal.errors:
            self.add_error("name", fault["detail"])


class NightForm(forms.Form):
    """The hour of the computation in full."""

    night_hour = forms.TypedChoiceField(
        label=_("Hour"), coerce=int, choices=[(hour, f"{hour:02d}:00") for hour in range(24)]
    )


def read(text: str) -> Any:
    """A JSON document that a person typed. Raises ValueError with a sentence that says where it breaks."""
    try:
        return json.loads(text, parse_constant=_refused)
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise ValueError(str(_("This is no JSON: see line %(line)s, column %(column)s.")) % place) from error
    except RecursionError as error:
        raise ValueError(str(_("These criteria are nested too deep."))) from error


def _refused(constant: str) -> Any:
    raise ValueError(str(_("“%(constant)s” is no number of JSON.")) % {"constant": constant})


def written(criteria: Any) -> str:
    """Criteria as a person edits them."""
    return json.dumps(criteria, ensure_ascii=False, indent=2)
