"""Why a call or a line cannot be taken, or an event is dropped: each reason has a name and a sentence."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext_lazy as _


class Reason(StrEnum):
    """The names are part of the answers of the tracking API and of the figures of loads."""

    # A call or a line that cannot be taken, told to its sender.
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NUMBER = "number_out_of_range"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_DEAL = "unknown_deal"
    NO_SUBJECT = "no_subject"
    BAD_ID = "bad_id"
    NO_EVENT = "no_event"
    UNKNOWN_EVENT = "unknown_event"
    BAD_PROPERTIES = "bad_properties"
    BAD_TIMESTAMP = "bad_timestamp"
    NO_PREVIOUS_ID = "no_previous_id"
    # What the digest drops.
    DUPLICATE = "duplicate"
    FORM_WITHOUT_EMAIL = "form_without_email"
    UNKNOWN_CONTACT = "unknown_contact"
    PRIVACY_SIGNAL = "privacy_signal"
    UNREADABLE = "unreadable"


_SENTENCES = {
    Reason.NOT_JSON: _("The line is not JSON."),
    Reason.NOT_AN_OBJECT: _("A line must be a JSON object."),
    Reason.TOO_LARGE: _("The line is longer than 256 KB."),
    Reason.TOO_DEEP: _("Objects and lists are nested too deep."),
    Reason.NUMBER: _("A number is out of range."),
    Reason.UNKNOWN_FIELD: _("An event has no such field."),
    Reason.UNKNOWN_DEAL: _("There is no such deal."),
    Reason.NO_SUBJECT: _("A contact, or an anonymous id that names someone, is needed."),
    Reason.BAD_ID: _("An id must be a text of at most 255 characters."),
    Reason.NO_EVENT: _("The event's name must be a text of at most 255 characters."),
    Reason.UNKNOWN_EVENT: _("No event of this name can be imported."),
    Reason.BAD_PROPERTIES: _("The properties must be an object."),
    Reason.BAD_TIMESTAMP: _("The date is not an ISO 8601 instant of the years 1900 to 2261."),
    Reason.FORM_WITHOUT_EMAIL: _("The submission of a form needs an e-mail address."),
}


class Refused(Exception):
    """A call or a line that cannot be taken; `detail` is a sentence for the programs that call the tracking API,
    or the name of the field at fault."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def said(reason: Reason, field: str = "") -> str:
    """The reason for which a line was refused, in the reader's language, with the field at fault."""
    sentence = str(_SENTENCES[reason])
    return f"{sentence} ({field})" if field and " " not in field else sentence
