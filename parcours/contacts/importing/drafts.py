"""An import under way in the wizard: a file kept, and what was said of it so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from django.db import transaction

from parcours.accounts.models import Account, Job, User
from parcours.contacts import definitions, queries
from parcours.contacts.importing import actions, cells, columns, formats, reading, uploads
from parcours.contacts.importing.actions import Options
from parcours.contacts.importing.formats import CSV, Format, Said
from parcours.contacts.importing.models import Import
from parcours.contacts.normalise import Unfit
from parcours.lib import clock

SAMPLES = 3
_LOOKED_AT = 100


@dataclass(slots=True)
class Column:
    """A column of the file: its header, some of its cells, and what it becomes ("" is left out)."""

    header: str
    samples: list[str]
    target: str
    known: bool  # whether the header tells by itself


@dataclass(slots=True)
class Draft:
    """What is known of a file in the wizard."""

    imported: Import
    found: Format
    options: Options
    new_list: str

    @property
    def is_csv(self) -> bool:
        return self.found.kind == CSV


def begin(
    account: Account,
    chunks: Iterable[bytes],
    *,
    content_type: str,
    filename: str,
    user: User | None,
    list_id: str = "",
) -> Import:
    """Keep a file sent to the wizard. Raises Invalid when nothing of it could be imported."""
    path = uploads.save(chunks)
    try:
        said = Said(kind=actions.kind_of(content_type, filename))
        found = formats.find(path, said, attributes=list(queries.attribute_types(account.pk)))
        options = Options(lists=[list_id] if list_id else [], said=replace(said, kind=found.kind))
        imported = Import(
            account=account, user=user, filename=filename[:200], path=path.name, bytes=path.stat().st_size
        )
        imported.setup = {"options": options.as_json(), "format": found.as_json()}
        imported.save()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return imported


def open_draft(imported: Import) -> Draft:
    """A file in the wizard as it was left."""
    options = Options.read(imported.setup["options"])
    found = Format(**imported.setup["format"])
    found = replace(
        found, decimal=options.said.decimal or found.decimal, dates=options.said.dates or found.dates
    )
    return Draft(imported, found, options, imported.setup.get("new_list", ""))


def read_again(draft: Draft, said: Said) -> None:
    """Say how the file is to be read; what its columns become is then asked anew. Raises Invalid."""
    names = list(queries.attribute_types(draft.imported.account_id))
    draft.found = formats.find(uploads.folder() / draft.imported.path, said, attributes=names)
    draft.imported.setup["format"] = draft.found.as_json()
    draft.imported.setup.pop("targets", None)
    _save(draft, replace(draft.options, said=said))


def told_columns(draft: Draft) -> tuple[list[Column], Said]:
    """The columns of a CSV file, each with what it becomes: as said, or guessed from its header and its cells.

    Answers also how numbers and dates seem to be written, where that was not said.
    """
    path = uploads.folder() / draft.imported.path
    rows = reading.sample(path, draft.found, count=_LOOKED_AT)
    names = list(queries.attribute_types(draft.imported.account_id))
    targets: Sequence[str] | None = draft.imported.setup.get("targets")
    told = []
    taken: set[str] = set()
    every: list[str] = []
    for place, header in enumerate(draft.found.headers):
        given = [row[place].strip() for row in rows if row[place].strip()]
        every += given
        try:
            field = columns.field_of(header, names)
        except Unfit:
            field = None
        known = field is not None and field not in taken
        if targets is not None:
            target = targets[place]
        elif field is not None:
            target = field if known else ""
        elif cells.names_consent(columns.plain(header), given) and "consents.email" not in taken:
            target = "consents.email"
        else:
            target = f"new:{cells.guess_type(given)}" if attribute_name(header) and given else ""
        taken.add(target)
        told.append(Column(header, list(dict.fromkeys(given))[:SAMPLES], target, known))
    said = draft.options.said
    decimal = said.decimal or cells.guess_decimal(every) or draft.found.decimal
    dates = said.dates or cells.guess_dates(every) or cells.ISO
    return told, replace(said, decimal=decimal, dates=dates)


def attribute_name(header: str) -> str:
    """The name of the attribute that a column makes: its header, without what names cannot have; "" for none."""
    bare = "".join(each if each.isprintable() else " " for each in header.replace(".", " "))
    return " ".join(bare.split())[:100].strip()


def mapped(draft: Draft) -> Format:
    """The file with its columns as they were said. Raises Invalid with a pointer to the column at fault."""
    targets = draft.imported.setup.get("targets")
    names = list(queries.attribute_types(draft.imported.account_id))
    if not draft.is_csv:
        return draft.found
    if targets is None:
        targets = [column.target for column in told_columns(draft)[0]]
    written = [
        f"attributes.{attribute_name(header)}:{target.removeprefix('new:')}"
        if target.startswith("new:")
        else target
        for header, target in zip(draft.found.headers, targets, strict=True)
    ]
    return formats.with_targets(draft.found, written, attributes=names)


def say_columns(draft: Draft, targets: list[str], *, key: str, decimal: str, dates: str) -> None:
    """Keep what each column becomes. Raises Invalid, with nothing kept, when it cannot be."""
    said = replace(draft.options.said, decimal=decimal, dates=dates)
    before = draft.imported.setup.get("targets")
    draft.imported.setup["targets"] = targets
    try:
        actions.check_key(mapped(draft), key)
    except BaseException:
        draft.imported.setup["targets"] = before
        raise
    _save(draft, replace(draft.options, said=said, key=key))


def say_everyone(draft: Draft, options: Options, *, new_list: str) -> None:
    """Keep what is said of everyone. Raises Invalid."""
    actions.check(draft.imported.account, options)
    draft.new_list = draft.imported.setup["new_list"] = new_list.strip()
    _save(draft, options)


def _save(draft: Draft, options: Options) -> None:
    draft.options = options
    draft.imported.setup["options"] = asdict(options)
    draft.imported.save(update_fields=["setup"])


def run(draft: Draft) -> Job:
    """Have the file imported. Raises Invalid."""
    found, options = mapped(draft), draft.options
    with transaction.atomic():
        imported = (
            Import.objects.select_for_update(of=("self",))
            .select_related("account", "job")
            .get(pk=draft.imported.pk)
        )
        if imported.job is not None:  # pressed twice
            return imported.job
        if draft.new_list:
            made = definitions.create_list(
                account_id=imported.account_id, name=draft.new_list, now=clock.now()
            )
            options = replace(options, lists=[*options.lists, str(made.pk)])
        return actions.enqueue(imported, found, options)


def discard(imported: Import) -> None:
    """Forget a file that was sent but not imported."""
    (uploads.folder() / imported.path).unlink(missing_ok=True)
    imported.delete()
