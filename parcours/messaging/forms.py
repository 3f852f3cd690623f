"""The form of a message; what it says is checked by `editing`, for pages and API alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from parcours.accounts.forms import chosen_unit, offer_units
from parcours.contacts.models import Channel
from parcours.lib.problems import Invalid
from parcours.messaging import editing
from parcours.messaging.models import Message

#: Which field of the form a JSON Pointer of a fault means.
_FIELDS = {"/from": "sender", "/channel": "", "/mjml": "content", "/html": "content"}
_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "class": "font-monospace"}


class MessageForm(forms.Form):
    """What an account writes in a message."""

    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("Seen by your team alone.")
    )
    subject = forms.CharField(label=_("Subject"), max_length=1000, required=False)
    sender = forms.CharField(
        label=_("Sender"),
        max_length=600,
        required=False,
        help_text=_("“Name <address>”. Empty: the account's sender."),
    )
    reply_to = forms.CharField(label=_("Reply to"), max_length=320, required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=Message.Kind.choices,
        help_text=_("Marketing goes only to contacts who opted in; transactional to all but the suppressed."),
    )
    language = forms.ChoiceField(label=_("Written in"), choices=[("mjml", "MJML"), ("html", "HTML")])
    content = forms.CharField(
        label=_("Content"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 22, **_CODE}),
        help_text=_(
            "MJML or HTML with Liquid: {{ contact.first_name }}, {{ event.… }}, {{ unsubscribe_url }}."
        ),
    )
    text = forms.CharField(
        label=_("Text part"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, **_CODE}),
        help_text=_("Made from the content when empty."),
    )
    track_opens = forms.BooleanField(label=_("Track opens"), required=False)
    track_clicks = forms.BooleanField(label=_("Track clicks"), required=False)

    def __init__(self, *args: Any, account_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_units(self, account_id)

    @classmethod
    def of(cls, message: Message) -> MessageForm:
        """The form that shows a message."""
        return cls(
            account_id=message.account_id,
            initial={
                "business_unit": message.business_unit_id or "",
                "name": message.name,
                "subject": message.subject,
                "sender": editing.sender_text(message),
                "reply_to": message.reply_to,
                "kind": message.kind,
                "language": "html" if message.html and not message.mjml else "mjml",
                "content": message.mjml or message.html,
                "text": message.text,
                "track_opens": message.track_opens,
                "track_clicks": message.track_clicks,
            },
        )

    def fill(self, message: Message) -> Message:
        """The message with what the form says, not kept yet. Raises Invalid."""
        data: dict[str, Any] = self.cleaned_data
        content = data["content"].replace("\r\n", "\n")
        message.mjml, message.html = (content, "") if data["language"] == "mjml" else ("", content)
        message.text = data["text"].replace("\r\n", "\n")
        for name in ("name", "subject", "reply_to", "kind", "track_opens", "track_clicks"):
            setattr(message, name, data[name])
        message.business_unit_id = chosen_unit(self)
        editing.set_sender(message, data["sender"])
        return message

    def add_faults(self, problem: Invalid) -> None:
        """Show each fault beside its field."""
        for fault in problem.errors:
            name = _FIELDS.get(fault["pointer"], fault["pointer"].lstrip("/"))
            self.add_error(name if name in self.fields else None, fault["detail"])


class SuppressionForm(forms.Form):
    """An address to which nothing more goes."""

    address = forms.CharField(label=_("E-mail address or phone number"), max_length=320)
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices)


class SuppressionListForm(forms.Form):
    """A file of such addresses."""

    file = forms.FileField(
        label=_("File of addresses"), help_text=_("One a line, or the first column that holds one.")
    )
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "list_%s")
        super().__init__(*args, **kwargs)
