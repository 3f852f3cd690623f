"""Killed between any two instructions, work on many contacts comes out the same: no line lost, nothing done twice."""

from __future__ import annotations

from pathlib import Path

from parcours import contacts
from parcours.contacts.tests.sweep import KNOWN, NEW
from tests.fixtures.sweep import missed, swept

EXPECTED = {
    "jobs": [
        ["contacts.import", "finished", KNOWN + NEW, KNOWN + NEW, f"{NEW} created", f"{KNOWN} updated"],
        ["contacts.import.undo", "finished", 0, KNOWN + NEW, f"{NEW} erased", f"{KNOWN} restored", "0 kept"],
        ["contacts.bulk", "finished", KNOWN, KNOWN, f"{KNOWN} changed"],
        ["contacts.bulk_undo", "finished", KNOWN, KNOWN, f"{KNOWN} changed"],
        *[["contacts.attribute", "finished", KNOWN, KNOWN]] * 3,
    ],
    "people": [[f"k{place}@example.org", None, [], {"score": place}] for place in range(KNOWN)],
    "attributes": [["score", "number"]],
    "erased": NEW,
    "consents": [[["opted_in", "import"], KNOWN], [["pending", "undo"], KNOWN]],
    "left": [0, 0, 0],
    "steps": 2,
    "told": [
        ["contact.created", KNOWN + NEW],
        # Imported; fields and tags put back; tagged and not any more; three changes of attributes.
        ["contact.updated", (1 + 2 + 2 + 3) * KNOWN],
        ["email.subscription_updated", KNOWN + NEW + KNOWN],
    ],
}


def test_a_kill_at_any_boundary_changes_nothing(tmp_path: Path) -> None:
    lines = swept("parcours.contacts.tests.sweep", tmp_path)
    assert lines[-1]["boundary"] > 35, "Seven jobs, by batches, have more boundaries than that."
    folder = Path(contacts.__path__[0])
    assert missed(lines, [*folder.glob("*.py"), *folder.glob("importing/*.py")]) == set()
    for line in lines:
        assert line["found"] == EXPECTED, f"after a kill at boundary {line['boundary']}"
