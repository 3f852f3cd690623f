"""Why a call or a line cannot be taken, or an event is dropped: each reason has a name and a sentence."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The names are part of the answers of the tracking API and of the figures of loads."""

    # A call that cannot be taken, told to its sender.
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NUMBER = "number_out_of_range"
    UNKNOWN_TYPE = "unknown_type"
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
    UNKNOWN_ACCOUNT = "unknown_account"


class Refused(Exception):
    """A call or a line that cannot be taken; `detail` is a sentence for its sender."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
