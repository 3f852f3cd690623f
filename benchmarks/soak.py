"""`make soak KILLS=200`: kill -9 worker, web and store at random, all along a journey of 2,000 contacts.

Contacts arrive in waves, receive a first message, some click in it, and go on by what they did and by what they are:
a wait for the click, a condition, two more messages, a list, a change of the contact. At the end every contact must
stand where a plain reading of the journey says, every message must have gone out exactly once (or be listed as of
unknown fate, and those are at most the ones in flight at a kill), and every number must agree.
"""

from __future__ import annotations

import argparse
import platform
import random
import re
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import urllib3

from benchmarks.installation import Installation, installation
from benchmarks.report import machine
from parcours.demo.http import Api, Refused
from parcours.messaging.sink import Sink, SunkMail, read_mailbox

REPORT = Path(__file__).resolve().parent.parent / "docs" / "soak.md"
CONNECTIONS = 4
PARTS = ("work", "web", "store")
#: Whoever clicks sooner after a mail's acceptance is taken for a machine.
_HUMAN_SECONDS = 3
_LINK = re.compile(r'<a[^>]+href="([^"]+/c/[^"]+)"')


@dataclass(frozen=True)
class Person:
    """A contact of the trial, and what they will do."""

    number: int

    @property
    def email(self) -> str:
        return f"soak{self.number:05d}@example.org"

    @property
    def clicks(self) -> bool:
        return self.number % 3 == 0

    @property
    def gold(self) -> bool:
        return self.number % 2 == 0

    def path(self) -> list[str]:
        """The steps that they pass."""
        way = ["first", "asked"]
        way += ["answer", "clicked"] if self.clicks else ["silence", "reminder"]
        way += ["level", "golden" if self.gold else "plain", "pause", "last", "end"]
        return way

    def messages(self) -> set[str]:
        """The subjects that they receive."""
        return {"First", "Last"} | (set() if self.clicks else {"Reminder"})


def document(messages: dict[str, str], lists: dict[str, str], *, wait: int) -> dict[str, Any]:
    """The journey; `wait` seconds before the reminder, and half of it between the messages."""
    clicked = [{"property": "message", "op": "eq", "value": messages["First"]}]
    return {
        "name": "Soak",
        "entry": {"triggers": [{"type": "list_joined", "list": lists["everybody"]}], "mode": "once"},
        "start": "first",
        "steps": [
            {"id": "first", "type": "send_email", "message": messages["First"], "next": "asked"},
            {
                "id": "asked", "type": "condition",
                "if": {"field": "attributes.answers", "op": "eq", "value": "yes"}, "then": "answer", "else": "silence",
            },
            {
                # However long kills delay the mail, it is clicked before this time is up.
                "id": "answer", "type": "wait_for", "event": "email.clicked", "where": clicked,
                "timeout": "6h", "then": "clicked", "else": "reminder",
            },
            {"id": "silence", "type": "delay", "for": f"{wait}s", "next": "reminder"},
            {"id": "clicked", "type": "add_to_list", "list": lists["clicked"], "next": "level"},
            {"id": "reminder", "type": "send_email", "message": messages["Reminder"], "next": "level"},
            {
                "id": "level", "type": "condition",
                "if": {"field": "attributes.level", "op": "eq", "value": "gold"}, "then": "golden", "else": "plain",
            },
            {"id": "golden", "type": "update_contact", "set": {"attributes.told": "gold"}, "next": "pause"},
            {"id": "plain", "type": "update_contact", "set": {"attributes.told": "plain"}, "next": "pause"},
            {"id": "pause", "type": "delay", "for": f"{wait // 2}s", "next": "last"},
            {"id": "last", "type": "send_email", "message": messages["Last"], "next": "end"},
            {"id": "end", "type": "end"},
        ],
    }  # fmt: skip


class Outside:
    """What programs outside do when the installation does not answer: try again."""

    def __init__(self, site: Installation) -> None:
        self.api = Api(url=site.url, key=site.account["api_key"])

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        deadline = time.monotonic() + 300
        while True:
            try:
                return self.api.call(method, path, body, **options)
            except (Refused, urllib3.exceptions.HTTPError) as error:
                refused = isinstance(error, Refused) and not any(
                    f": {code} " in str(error) for code in (500, 502, 503)
                )
                if refused or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def pages(self, path: str) -> list[Any]:
        """Every item of a list."""
        deadline = time.monotonic() + 300
        while True:
            try:
                return self.api.pages(path)
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


@dataclass
class Clicker:
    """Those who click do so, once each, as soon as their mail is there; a click not answered is done again."""

    directory: Path
    stop: threading.Event = field(default_factory=threading.Event)
    done: set[str] = field(default_factory=set)
    failures: int = 0

    def run(self) -> None:
        after = 0
        while not self.stop.is_set():
            for mail in read_mailbox(after=after, directory=self.directory):
                if time.time() - mail.received_at / 1000 < _HUMAN_SECONDS:
                    break
                after = mail.id
                if int(mail.recipient[4:9]) % 3 == 0 and str(mail.message()["Subject"]) == "First":
                    self._click(mail)
            time.sleep(0.1)

    def _click(self, mail: SunkMail) -> None:
        body = mail.message().get_body(preferencelist=("html",))
        address = unescape(_LINK.findall(body.get_content() if body else "")[0])
        headers = {
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
        }
        while not self.stop.is_set():
            try:
                _open(address, headers)
                self.done.add(mail.recipient)
                return
            except OSError:
                self.failures += 1
                time.sleep(0.1)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _open(address: str, headers: dict[str, str]) -> None:
    """Open a link without following it; OSError when it was not answered by a redirection."""
    try:
        urllib.request.build_opener(_Stay).open(urllib.request.Request(address, headers=headers), timeout=10)
    except urllib.error.HTTPError as answer:
        if answer.code not in (301, 302, 303, 307):
            raise


def kill(site: Installation, part: str) -> bool:
    """kill -9 a part of the installation; whether it was there to be killed."""
    import os
    import signal

    try:
        os.kill(int((site.data_dir / "run" / f"{part}.pid").read_text()), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    return True


def set_up(outside: Outside, *, wait: int) -> dict[str, Any]:
    """The attributes, the lists, the messages and the active journey."""
    for name in ("level", "answers", "told"):
        outside("POST", "attributes", {"name": name, "type": "text"})
    lists = {name: outside("POST", "lists", {"name": name})["id"] for name in ("everybody", "clicked")}
    html = '<p>Hello {{ contact.external_id }} <a href="https://example.org/page">here</a></p>'
    messages = {
        subject: outside(
            "POST",
            "messages",
            {
                "name": subject,
                "channel": "email",
                "subject": subject,
                "html": html,
                "from": "Soak <soak@example.org>",
            },
        )["id"]
        for subject in ("First", "Reminder", "Last")
    }
    journey = outside("POST", "journeys", document(messages, lists, wait=wait))["id"]
    outside("POST", f"journeys/{journey}/activate")
    return {"lists": lists, "messages": messages, "journey": journey}


def send_wave(outside: Outside, people: list[Person], everybody: str) -> None:
    """One file of contacts; sent again whole when the answer was lost: nobody comes in twice."""
    lines = ["email,external_id,attributes.level,attributes.answers,consents.email,lists"]
    lines += [
        f"{p.email},{p.number},{'gold' if p.gold else 'plain'},{'yes' if p.clicks else 'no'},opted_in,{everybody}"
        for p in people
    ]
    outside("POST", "contacts/import", "\n".join(lines).encode(), content_type="text/csv")


def problems(
    outside: Outside, made: dict[str, Any], people: list[Person], mails: list[SunkMail]
) -> tuple[list[str], int]:
    """Everything that is not as the plain reading says, and how many sends are of unknown fate."""
    found: list[str] = []
    box = Counter((mail.recipient, str(mail.message()["Subject"])) for mail in mails)
    found += [f"{who} received {subject} {n} times" for (who, subject), n in box.items() if n > 1]
    names = {id: subject for subject, id in made["messages"].items()}
    unknown = {(send["address"], names[send["message"]]) for send in outside.pages("sends?status=unknown")}
    wanted = {(person.email, subject) for person in people for subject in person.messages()}
    found += [f"{who} never received {subject}" for who, subject in sorted(wanted - set(box) - unknown)]
    found += [f"{who} received {subject} and should not have" for who, subject in sorted(set(box) - wanted)]

    read = outside("GET", f"journeys/{made['journey']}/statistics")
    everybody = len(people)
    standing = (read["entered"], read["completed"], read["active"], read["failed"])
    if standing != (everybody, everybody, 0, 0):
        found.append(f"entered, completed, active, failed: {standing}")
    passing: dict[str, set[str]] = {}
    for person in people:
        for step in person.path():
            passing.setdefault(step, set()).add(person.email)
    for step in read["steps"]:
        who = passing.get(step["id"], set())
        if (step["passages"], step["contacts"], step["waiting"], step["failed"]) != (
            len(who),
            len(who),
            0,
            0,
        ):
            found.append(f"{step['id']}: {step} where {len(who)} passed")
        listed = outside.pages(
            f"journeys/{made['journey']}/steps/{step['id']}/contacts?as_of={read['as_of']}"
        )
        if {line["email"] for line in listed} != who:
            found.append(f"{step['id']}: the list is not of those who passed")
    for subject, id in made["messages"].items():
        figure = outside("GET", f"messages/{id}/report")["metrics"]["sends"]
        number = sum(subject in person.messages() for person in people)
        if figure != number:
            found.append(f"{subject}: {figure} sends where there are {number}")
    contacts = {line["email"]: line["attributes"].get("told") for line in outside.pages("contacts?")}
    found += [
        f"{person.email} is told {contacts.get(person.email)}"
        for person in people
        if contacts.get(person.email) != ("gold" if person.gold else "plain")
    ]
    members = {line["email"] for line in outside.pages(f"lists/{made['lists']['clicked']}/members")}
    if members != {person.email for person in people if person.clicks}:
        found.append("the list of those who clicked is not theirs")
    return found, len(unknown)


def soak(*, kills: int, contacts: int, seed: int) -> dict[str, Any]:
    """The whole trial; answers what the report says."""
    chance = random.Random(seed)
    people = [Person(number) for number in range(contacts)]
    waves = [
        people[start : start + max(1, contacts // 10)] for start in range(0, contacts, max(1, contacts // 10))
    ]
    pause = 1.5
    wait = max(20, int(kills * pause * 0.4))
    counted: Counter[str] = Counter()
    with installation(PARCOURS_EMAIL_CONNECTIONS=str(CONNECTIONS), PARCOURS_LEASE_SECONDS="5") as site:
        sink = Sink(directory=site.data_dir / "sink").start()
        site.environment["PARCOURS_EMAIL_URL"] = sink.url
        site.start("run", "--port", str(site.port))
        site.wait("/readyz")
        outside = Outside(site)
        made = set_up(outside, wait=wait)
        clicker = Clicker(site.data_dir / "sink")
        thread = threading.Thread(target=clicker.run, daemon=True)
        thread.start()
        started = time.monotonic()

        def arrive() -> None:
            for wave in waves:
                send_wave(outside, wave, made["lists"]["everybody"])
                time.sleep(kills * pause / len(waves) * 0.6)

        arrivals = threading.Thread(target=arrive)
        arrivals.start()
        work_kills = 0
        while counted.total() < kills:
            time.sleep(chance.uniform(0.1, 2 * pause - 0.1))
            part = chance.choice(PARTS)
            if kill(site, part):
                counted[part] += 1
                work_kills += part == "work"
        killing = time.monotonic() - started
        arrivals.join()
        deadline = time.monotonic() + wait * 2 + 180
        while True:
            read = outside("GET", f"journeys/{made['journey']}/statistics")
            sends = [
                outside("GET", f"messages/{id}/report")["metrics"]["sends"]
                for id in made["messages"].values()
            ]
            wanted = sum(len(person.messages()) for person in people)
            if (read["completed"] == contacts and sum(sends) == wanted) or time.monotonic() > deadline:
                break
            time.sleep(1)
        settled = time.monotonic() - started - killing
        mails = read_mailbox(directory=site.data_dir / "sink", limit=10_000_000)
        found, unknown = problems(outside, made, people, mails)
        clicker.stop.set()
        thread.join()
        sink.stop()
    if unknown > work_kills * CONNECTIONS:
        found.append(f"{unknown} of unknown fate, more than could be in flight at {work_kills} kills")
    return {
        "kills": dict(counted),
        "contacts": contacts,
        "mails": len(mails),
        "unknown": unknown,
        "clicks_again": clicker.failures,
        "killing": killing,
        "settled": settled,
        "seed": seed,
        "problems": found,
    }


def write(told: dict[str, Any]) -> None:
    """The report, committed with the code that it speaks of."""
    verdict = (
        "Nothing lost, nothing doubled, every number agrees."
        if not told["problems"]
        else "**Problems found.**"
    )
    lines = [
        "# Soak of kills",
        "",
        f"`make soak KILLS={sum(told['kills'].values())}` on {datetime.now(UTC):%Y-%m-%d}, Python "
        f"{platform.python_version()}, {machine()}.",
        "",
        verdict,
        "",
        "| what | figure |",
        "| --- | --- |",
        *(f"| kill -9 of {part} | {number} |" for part, number in sorted(told["kills"].items())),
        f"| contacts | {told['contacts']:,} |",
        f"| mails in the sink | {told['mails']:,} |",
        f"| sends of unknown fate, listed as such and not sent again | {told['unknown']} |",
        f"| clicks that had to be done again, the page being away | {told['clicks_again']} |",
        f"| length of the killing | {told['killing']:.0f} s |",
        f"| until all was settled after the last kill, waits of the journey included | {told['settled']:.0f} s |",
        f"| seed of the chance | {told['seed']} |",
        "",
    ]
    if told["problems"]:
        lines += ["## Problems", "", *(f"* {problem}" for problem in told["problems"][:50]), ""]
    REPORT.write_text("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--contacts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--print", action="store_true", help="print only, leave the report alone")
    arguments = parser.parse_args()
    told = soak(kills=arguments.kills, contacts=arguments.contacts, seed=arguments.seed)
    for name, value in told.items():
        print(f"{name}: {value}")
    if not arguments.print:
        write(told)
    raise SystemExit(1 if told["problems"] else 0)


if __name__ == "__main__":
    main()
