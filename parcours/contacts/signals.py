"""What the packages above may listen to."""

from __future__ import annotations

from django.dispatch import Signal

#: Sent in the transaction that erases people, with `account_id` and `people`: [(contact id, email, phone)], what
#: they had until now, so that whoever keeps copies of it empties them, and keeps no more than a keyed hash.
contacts_erased = Signal()
