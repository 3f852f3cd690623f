"""Dies once at every boundary of the sending loop, and again at its first commit after that (`tests.fixtures.sweep`).

`python -m parcours.messaging.tests.crash_sweep SINK_URL SINK_DIRECTORY`. Each trial begins with the same database.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from parcours.lib.crashpoints import EXIT_CODE
from tests.fixtures.sweep import boundaries, in_a_child

RECIPIENTS = 2


def _told_world() -> None:
    from parcours.accounts.models import Account
    from parcours.contacts.models import Contact
    from parcours.lib import clock
    from parcours.messaging.actions import NewSend, queue
    from parcours.messaging.models import Message

    account = Account.objects.create(name="a", write_key="k", sender_email="news@shop.example")
    message = Message.objects.create(
        account=account, name="m", subject="Hi", html='<a href="https://x.example/">x</a>'
    )
    contacts = [
        Contact.objects.create(account=account, email=f"p{number}@example.org", consent_email="opted_in")
        for number in range(RECIPIENTS)
    ]
    queue(
        [NewSend(account.pk, message.pk, contact.pk, 1, 1, contact.pk, "mail") for contact in contacts],
        now=clock.now(),
    )


def _send(url: str) -> Callable[[], None]:
    def work() -> None:
        from parcours.messaging.sending.transport import Server
        from parcours.messaging.sending.work import Sender

        sender = Sender(Server.of_url(url), connections=1, timeout=5)
        while sender.round():
            pass
        sender.close()

    return work


def _outcome(directory: Path, after: int) -> dict[str, object]:
    from django.db import connection

    from parcours.events import journal
    from parcours.events.entries import Event
    from parcours.events.models import JournalRow
    from parcours.messaging.models import Send
    from parcours.messaging.sink import read_mailbox

    rows = JournalRow.objects.order_by("id")
    told = Counter(
        entry.name for row in rows for entry in journal.decode(row.body) if isinstance(entry, Event)
    )
    mails = read_mailbox(after=after, directory=directory)
    found: dict[str, object] = {
        "statuses": dict(Counter(Send.objects.values_list("status", flat=True))),
        "sent": sorted(Send.objects.filter(status="sent").values_list("address", flat=True)),
        "received": dict(Counter(mail.recipient for mail in mails)),
        "told": dict(told),
    }
    connection.close()
    return found


def main(url: str, directory: Path) -> None:
    """Sweep every boundary."""
    from django.conf import settings
    from django.db import connection

    from parcours.config import startup
    from parcours.messaging.sending import work  # noqa: F401 loaded here, not once in each fork
    from parcours.messaging.sink import read_mailbox

    startup.migrate()
    _told_world()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    database = Path(settings.DATABASES["default"]["NAME"])
    template = database.with_suffix(".template")
    shutil.copy(database, template)
    for boundary in boundaries(100):
        for left in database.parent.glob(database.name + "*"):
            left.unlink()
        shutil.copy(template, database)
        mails = read_mailbox(directory=directory, limit=1_000_000)
        after = mails[-1].id if mails else 0
        codes = [in_a_child(_send(url), f"sending.*:{boundary}")]
        if codes[0] == EXIT_CODE:
            codes.append(in_a_child(_send(url), "sending.commit*:1"))
            codes.append(in_a_child(_send(url), ""))
        line = {"boundary": boundary, "code": codes[0], "codes": codes}
        print(json.dumps(line | _outcome(directory, after)), flush=True)
        if codes[0] == 0:
            return


if __name__ == "__main__":
    from parcours.config import startup

    startup.setup_django()
    main(sys.argv[1], Path(sys.argv[2]))
