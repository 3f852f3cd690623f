"""The types of steps. A new type is one class here and its place in the canvas."""

from __future__ import annotations

from parcours.journeys.steps.acting import AddToList, RemoveFromList, SendEmail, UpdateContact
from parcours.journeys.steps.base import Step
from parcours.journeys.steps.choosing import Condition, End
from parcours.journeys.steps.waiting import Delay, WaitFor

TYPES: dict[str, type[Step]] = {
    step.type: step
    for step in (Delay, WaitFor, Condition, SendEmail, UpdateContact, AddToList, RemoveFromList, End)
}

LATER = frozenset(
    "delay_until branch split send_sms send_whatsapp add_tag remove_tag set_consent update_deal webhook notify"
    " enter_journey exit_journey".split()
)
"""Types of the contract that cannot be used yet."""
