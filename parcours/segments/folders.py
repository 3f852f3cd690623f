"""Folders of segments: made, renamed, deleted; segments put in and taken out."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Count

from parcours.accounts.models import Account
from parcours.contacts.search import fold
from parcours.lib.lines import is_line
from parcours.lib.problems import Fault, Invalid
from parcours.lib.translation import gettext as _
from parcours.segments.models import Segment, SegmentFolder

LONGEST_NAME = 200


def counted(account_id: int) -> list[SegmentFolder]:
    """The account's folders by name (without case nor accents), each with `count`, the number of its segments."""
    found = SegmentFolder.objects.filter(account_id=account_id).annotate(count=Count("segments"))
    return sorted(found, key=lambda folder: (fold(folder.name), folder.name))


def create(*, account: Account, name: str) -> SegmentFolder:
    """Make a folder. Raises Invalid for a name that is empty, too long, or taken."""
    folder = SegmentFolder(account=account)
    return _save(folder, name)


def rename(*, folder: SegmentFolder, name: str) -> SegmentFolder:
    """Give a folder another name. Raises Invalid as `create` does."""
    return _save(folder, name)


def delete(*, folder: SegmentFolder) -> None:
    """Delete a folder; its segments stay, in no folder."""
    with transaction.atomic():
        Segment.objects.filter(folder=folder).update(folder=None)
        folder.delete()


def move(*, account: Account, segment_ids: Sequence[int], folder: SegmentFolder | None) -> int:
    """Put segments of the account in a folder (None: in none); answers how many. Others' ids are passed over."""
    return Segment.objects.filter(account=account, pk__in=segment_ids).update(folder=folder)


def put(*, segment: Segment, folder: SegmentFolder | None) -> None:
    """Put one segment in a folder of its account (None: in none)."""
    segment.folder = folder
    segment.save(update_fields=["folder"])


def _save(folder: SegmentFolder, name: str) -> SegmentFolder:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not is_line(name):
        detail = _("A name has 1 to %(most)s characters.") % {"most": LONGEST_NAME}
        raise Invalid(_("This folder cannot be saved."), [Fault(pointer="/name", detail=detail)])
    folder.name = name
    try:
        with transaction.atomic():
            folder.save()
    except IntegrityError as error:
        detail = _("There is a folder of this name already.")
        raise Invalid(_("This folder cannot be saved."), [Fault(pointer="/name", detail=detail)]) from error
    return folder
