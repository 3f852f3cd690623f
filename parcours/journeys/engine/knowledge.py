"""What steps need to know of contacts, read once for a batch and only for those who need it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection

from parcours.contacts.queries import snapshot
from parcours.criteria.batch import Case, evaluate_batch
from parcours.criteria.evaluate import Run as CriteriaRun
from parcours.events.watermark import Watermark
from parcours.journeys.engine.programs import Programs
from parcours.journeys.engine.runs import Run
from parcours.lib import bulk


class Question(NamedTuple):
    """Whether a contact meets criteria at an instant (milliseconds), within a run where there is one."""

    contact: int
    at: int
    run: Run | None


class Knowledge:
    """The contacts of a batch, as they are now."""

    def __init__(self, programs: Programs, watermark: Watermark | None) -> None:
        self.programs = programs
        self.watermark = watermark
        self._zones: dict[int, str] = {}
        self._snapshots: dict[int, dict[str, Any] | None] = {}

    def zones(self, contacts: Sequence[int]) -> list[str]:
        """The time zone of each contact, the account's for those who have none."""
        unknown = [contact for contact in contacts if contact not in self._zones]
        if unknown:
            among, values = bulk.among("id", unknown)
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT id, timezone FROM contacts_contact WHERE timezone <> '' AND {among}", [values]
                )
                found = dict(cursor.fetchall())
            for contact in unknown:
                self._zones[contact] = found.get(contact) or self.programs.timezone
        return [self._zones[contact] for contact in contacts]

    def snapshots(self, contacts: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Everything known of the contacts; those erased or unknown are left out."""
        wanted = list(contacts)
        unknown = [contact for contact in wanted if contact not in self._snapshots]
        if unknown:
            self._snapshots.update(dict.fromkeys(unknown))
            for person in snapshot(unknown):
                if not person["gone"]:
                    self._snapshots[person["contact"]] = person
        return {contact: found for contact in wanted if (found := self._snapshots[contact]) is not None}

    def ask(self, node: Any, questions: Sequence[Question]) -> list[bool]:
        """Whether each meets the criteria. Those erased meet none."""
        people = self.snapshots({question.contact for question in questions})
        cases = [
            Case(place, question.contact, question.at, people[question.contact], _run(question.run))
            for place, question in enumerate(questions)
            if question.contact in people
        ]
        met = evaluate_batch(
            node,
            cases,
            account=self.programs.account,
            load=self.watermark.load if self.watermark is not None else 0,
            zone=self.programs.timezone,
        )
        return [place in met for place in range(len(questions))]


def _run(run: Run | None) -> CriteriaRun | None:
    return None if run is None else CriteriaRun(run.entered_at, run.id, run.key)
