"""The straight road: contacts by CSV, a list, a journey, an SMTP sink, numbers."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx

from parcours.messaging import sink
from tests.fixtures.installation import Account, Installation

STEPS = ("hello", "pause", "end")


@dataclass
class Road:
    """One account's road through an installation."""

    account: Account
    api: httpx.Client
    journey: str
    message: str
    list: str
    addresses: list[str]

    def statistics(self) -> dict[str, Any]:
        """The journey's numbers now."""
        return ok(self.api.get(f"journeys/{self.journey}/statistics"))

    def over(self) -> bool:
        """Whether everybody came in and went through, and nothing is being sent any more."""
        read = self.statistics()
        if read["entered"] < len(self.addresses) or read["active"]:
            return False
        sends = ok(self.api.get(f"messages/{self.message}/report"))["metrics"]["sends"]
        return bool(sends == len(self.addresses))

    def mailbox(self, installation: Installation) -> Counter[str]:
        """How many mails each address of this road received."""
        mails = sink.read_mailbox(directory=installation.data_dir / "sink", limit=1_000_000)
        mine = set(self.addresses)
        return Counter(mail.recipient for mail in mails if mail.recipient in mine)


def ok(answer: httpx.Response) -> Any:
    """The JSON of an answer, which must be good."""
    assert answer.status_code < 400, f"{answer.request.method} {answer.request.url}: {answer.text}"
    return answer.json() if answer.content else None


def lay(installation: Installation, name: str, *, contacts: int = 20, wait: str = "2s") -> Road:
    """Make an account, its list, its message and its active journey; the contacts' file is sent by `drive`."""
    slug = name.lower().replace(" ", "-")
    account = installation.create_account(name, email=f"{slug}@example.org")
    api = installation.api(account)
    clients = ok(api.post("lists", json={"name": "Clients"}))["id"]
    message = ok(
        api.post(
            "messages",
            json={
                "name": "Bonjour",
                "channel": "email",
                "subject": "Bonjour {{ contact.first_name }}",
                "mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>Bonjour {{ contact.first_name }} "
                '<a href="https://example.org/a">ici</a> <a href="{{ unsubscribe_url }}">stop</a></mj-text>'
                "</mj-column></mj-section></mj-body></mjml>",
                "from": "Maison <bonjour@example.org>",
            },
        )
    )["id"]
    journey = ok(
        api.post(
            "journeys",
            json={
                "name": "Bienvenue",
                "entry": {"triggers": [{"type": "list_joined", "list": clients}], "mode": "once"},
                "start": "hello",
                "steps": [
                    {"id": "hello", "type": "send_email", "message": message, "next": "pause"},
                    {"id": "pause", "type": "delay", "for": wait, "next": "end"},
                    {"id": "end", "type": "end"},
                ],
            },
        )
    )["id"]
    ok(api.post(f"journeys/{journey}/activate"))
    addresses = [f"{slug}-{number:02d}@example.org" for number in range(contacts)]
    return Road(account, api, journey, message, clients, addresses)


def drive(road: Road) -> None:
    """Send the contacts' file, which puts them on the list."""
    lines = ["email,first_name,consents.email,lists"]
    lines += [
        f"{address},Prénom {number},opted_in,{road.list}" for number, address in enumerate(road.addresses)
    ]
    ok(
        road.api.post(
            "contacts/import", content="\n".join(lines).encode(), headers={"Content-Type": "text/csv"}
        )
    )


def wait_until_over(road: Road, *, seconds: float) -> None:
    """Wait until everybody went through. Raises TimeoutError with the numbers as they stand."""
    deadline = time.monotonic() + seconds
    while not road.over():
        if time.monotonic() > deadline:
            report = ok(road.api.get(f"messages/{road.message}/report"))
            raise TimeoutError(f"{road.account.name}: {road.statistics()} {report}")
        time.sleep(0.1)


def assert_nobody_lost_or_doubled(road: Road, installation: Installation) -> int:
    """Every number is that of the mailbox and of the plain story; answers how many sends are of unknown fate."""
    box = road.mailbox(installation)
    assert max(box.values(), default=0) <= 1, f"written to twice: {box.most_common(3)}"
    sends = _sends(road)
    unknown = {send["address"] for send in sends if send["status"] == "unknown"}
    missing = set(road.addresses) - set(box)
    assert missing <= unknown, f"lost: {missing - unknown}"
    read = road.statistics()
    everybody = len(road.addresses)
    assert (read["entered"], read["completed"], read["active"], read["failed"]) == (
        everybody,
        everybody,
        0,
        0,
    )
    for step in read["steps"]:
        assert (step["passages"], step["contacts"], step["waiting"]) == (everybody, everybody, 0), step
        listed = ok(road.api.get(f"journeys/{road.journey}/steps/{step['id']}/contacts"))
        assert {item["email"] for item in listed["items"]} == set(road.addresses)
    metrics = ok(road.api.get(f"messages/{road.message}/report"))["metrics"]
    assert metrics["sends"] == metrics["deliveries"] == metrics["recipients"] == everybody
    return len(unknown)


def _sends(road: Road) -> list[dict[str, Any]]:
    return list(ok(road.api.get("sends", params={"message": road.message, "limit": 1000}))["items"])
