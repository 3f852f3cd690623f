"""Steps that do something: send, change the contact."""

from __future__ import annotations

from parcours.journeys.steps.base import Batch, Change, Decision, Field, Kind, Send, Step


class SendEmail(Step):
    """Send an e-mail. The run goes on at once; whoever cannot be written to is skipped, with the reason."""

    type = "send_email"
    fields = (Field("message", Kind.MESSAGE, required=True),)

    @property
    def message(self) -> int:
        """The id of the message."""
        return int(self.values["message"])

    def decide(self, batch: Batch) -> list[Decision]:
        return [Send(self.message, self.next)] * len(batch.instants)


class _Changing(Step):
    def decide(self, batch: Batch) -> list[Decision]:
        return [Change(self.type, self.values, self.next)] * len(batch.instants)


class UpdateContact(_Changing):
    """Set, clear or add to fields of the contact."""

    type = "update_contact"
    fields = (Field("set", Kind.VALUES), Field("unset", Kind.NAMES), Field("increment", Kind.NUMBERS))


class AddToList(_Changing):
    """Put the contact on a list."""

    type = "add_to_list"
    fields = (Field("list", Kind.LIST, required=True),)


class RemoveFromList(_Changing):
    """Take the contact off a list."""

    type = "remove_from_list"
    fields = (Field("list", Kind.LIST, required=True),)
