"""What the packages above may listen to."""

from __future__ import annotations

from django.dispatch import Signal

#: Sent in the transaction that erases people, with `account_id` and `people`: [(contact id, email, phone)], what
#: they had until now, so that whoever keeps copies of it empties them, and keeps no more than a keyed hash; `words` are
#: all their keys and names.
contacts_erased = Signal()

#: Sent once all that erased people did is digested and gone from the store, with `account_id` and `contact_ids`:
#: whoever keeps texts of events that were digested after the erasure empties them.
contacts_forgotten = Signal()

#: Sent in the transaction of a merge, or of its undoing, before anything is read, with `account_id` and
#: `contact_ids`: whoever is at work on these contacts lets go of what it has not committed.
contacts_merging = Signal()

#: Sent in the transaction that merges contacts, with `account_id`, `into` (contact merged away -> who it is now),
#: `moved` (contact merged away -> "table.column" -> ids of the rows that followed: whoever moves rows of its own notes
#: them there), `entries` (a list of what the journal is told, to be added to) and `now`. Rows of tables that need no
#: more than a new owner are registered with `contacts.merging.following` instead.
contacts_merged = Signal()

#: Sent in the transaction that undoes a merge, with `account_id`, `contact` (who is there again), `into` (who they
#: were), `under` (those merged earlier into the contact), `moved` (as noted when they were merged), `entries`, `now`.
contacts_unmerged = Signal()
