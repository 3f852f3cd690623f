"""What a new message begins with."""

from __future__ import annotations

from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.messaging.models import Message

_MJML = """<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.6" color="#26332f" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f4f2ec">
    <mj-section background-color="#ffffff" padding="32px 16px">
      <mj-column>
        <mj-text font-size="24px" font-weight="bold">{title}</mj-text>
        <mj-text>{text}</mj-text>
        <mj-button href="https://example.org/" background-color="#17867b" border-radius="8px">{button}</mj-button>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text align="center" font-size="12px" color="#6b6b6b">
          {{{{ account.name }}}}<br />
          <a href="{{{{ unsubscribe_url }}}}" style="color:#6b6b6b">{unsubscribe}</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""


def welcome(account: Account) -> Message:
    """An e-mail that greets, not kept yet."""
    return Message(
        account=account,
        subject=_("Welcome, {{ contact.first_name }}"),
        mjml=_MJML.format(
            title=_("Hello {{ contact.first_name }},"),
            text=_("Write here what your contacts will read."),
            button=_("See the site"),
            unsubscribe=_("Unsubscribe"),
        ),
    )
