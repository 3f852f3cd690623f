"""Pipelines and their stages: found by what people and programs call them, made, changed and deleted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parcours.accounts.access import as_id
from parcours.accounts.models import Account
from parcours.commerce.lines import Reader, Refused
from parcours.commerce.models import Deal, Pipeline, Stage
from parcours.lib.problems import Fault, Invalid

LONGEST_KEY, LONGEST_NAME = 100, 200
MOST_STAGES = 50
_WON = {"won", "closed won", "closedwon", "gagne", "gagnee", "conclue gagnee"}
_LOST = {"lost", "closed lost", "closedlost", "perdu", "perdue", "conclue perdue"}


class Unknown(Exception):
    """No pipeline or stage is called so; the field at fault, and a sentence."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


def folded(text: str) -> str:
    """A name without accents, capitals and marks."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(one for one in bare if not unicodedata.combining(one))))


def kind_of(name: str) -> str:
    """Whether a stage of that name ends a deal: `won`, `lost`, else `open`."""
    plain = folded(name)
    return "won" if plain in _WON else "lost" if plain in _LOST else "open"


class Finder:
    """Finds the pipelines and stages of an account by id, key or name, in that order.

    What nothing is called so is made, in a pipeline that deals brought with them; a pipeline made by hand has just the
    stages that it was given. To be used in a transaction.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.pipelines = list(Pipeline.objects.filter(account=account).order_by("position", "pk"))
        self.stages: dict[int, list[Stage]] = {pipeline.pk: [] for pipeline in self.pipelines}
        for stage in Stage.objects.filter(pipeline__account=account).order_by("position", "pk"):
            self.stages[stage.pipeline_id].append(stage)

    def pipeline(self, called: str, *, make: bool = True) -> Pipeline:
        """The pipeline called so. Raises Unknown."""
        found = _called(self.pipelines, called)
        if found is None and make and not called.isdigit():
            found = self._make_pipeline(called)
        if found is None:
            raise Unknown("pipeline", _("There is no pipeline “%(name)s”.") % {"name": called[:100]})
        return found

    def known_stage(self, called: str, pipeline: Pipeline | None) -> Stage:
        """The stage called so, of that pipeline or of any; nothing is made. Raises Unknown."""
        for one in [pipeline] if pipeline else self.pipelines:
            found = _called(self.stages[one.pk], called)
            if found is not None:
                return found
        raise Unknown("stage", _("There is no stage “%(name)s”.") % {"name": called[:100]})

    def first(self) -> Pipeline:
        """The account's first pipeline, made with the stages of a plain sale when there is none."""
        return self.pipelines[0] if self.pipelines else make_first(self)

    def stage(self, pipeline: Pipeline, called: str, *, named: bool = True) -> Stage:
        """The stage of a pipeline called so; `named` says whether the pipeline was named beside it.

        Raises Unknown: for a stage of another pipeline, and where the pipeline was made by hand.
        """
        found = _called(self.stages[pipeline.pk], called)
        if found is not None:
            return found
        others = [
            other
            for other in self.pipelines
            if other.pk != pipeline.pk and _called(self.stages[other.pk], called)
        ]
        if others and (not named or called.isdigit()):
            said = {"stage": called[:100], "other": others[0].name, "pipeline": pipeline.name}
            raise Unknown(
                "stage",
                _("The stage “%(stage)s” is one of the pipeline “%(other)s”, not of “%(pipeline)s”.") % said,
            )
        if pipeline.settled or called.isdigit() or len(self.stages[pipeline.pk]) >= MOST_STAGES:
            names = ", ".join(stage.name for stage in self.stages[pipeline.pk])
            said = {"stage": called[:100], "pipeline": pipeline.name, "names": names or "—"}
            raise Unknown(
                "stage",
                _("The pipeline “%(pipeline)s” has no stage “%(stage)s”. Its stages: %(names)s.") % said,
            )
        return self._make_stage(pipeline, called)

    def first_stage(self, pipeline: Pipeline) -> Stage | None:
        """Where a deal of a pipeline begins."""
        return next(iter(self.stages[pipeline.pk]), None)

    def _make_pipeline(self, called: str) -> Pipeline:
        made = Pipeline.objects.create(
            account=self.account,
            key=called[:LONGEST_KEY],
            name=called[:LONGEST_NAME],
            position=len(self.pipelines),
        )
        self.add(made, [])
        return made

    def _make_stage(self, pipeline: Pipeline, called: str) -> Stage:
        known = self.stages[pipeline.pk]
        kind = kind_of(called)
        # An open stage comes before those that end a deal.
        place = len(known)
        if kind == Stage.Kind.OPEN:
            place = next((number for number, one in enumerate(known) if one.kind != Stage.Kind.OPEN), place)
        made = Stage(pipeline=pipeline, key=called[:LONGEST_KEY], name=called[:LONGEST_NAME], kind=kind)
        known.insert(place, made)
        for position, stage in enumerate(known):
            stage.position = position
        Stage.objects.bulk_update([stage for stage in known if stage.pk], ["position"])
        made.save()
        return made

    def add(self, pipeline: Pipeline, stages: Sequence[Stage]) -> None:
        """Know a pipeline that was just made."""
        self.pipelines.append(pipeline)
        self.stages[pipeline.pk] = list(stages)


def _called(among: Sequence[Any], called: str) -> Any:
    """The one of this id, key or name."""
    number = as_id(called)
    if number is not None:
        found = next((one for one in among if one.pk == number), None)
        if found is not None:
            return found
    exact = next((one for one in among if one.key == called), None)
    plain = folded(called)
    return exact or next(
        (one for one in among if plain and plain in (folded(one.name), folded(one.key))), None
    )


def make_first(finder: Finder) -> Pipeline:
    """A first pipeline, with the stages of a plain sale; it grows with its deals until somebody changes it."""
    words = (
        ("new", _("New lead"), "open"),
        ("qualified", _("Qualified"), "open"),
        ("proposal", _("Proposal sent"), "open"),
        ("negotiation", _("Negotiation"), "open"),
        ("won", _("Won"), "won"),
        ("lost", _("Lost"), "lost"),
    )
    with transaction.atomic():
        pipeline = Pipeline.objects.create(account=finder.account, key="sales", name=_("Sales"), position=0)
        stages = [
            Stage(pipeline=pipeline, key=key, name=name, kind=kind, position=position)
            for position, (key, name, kind) in enumerate(words)
        ]
        Stage.objects.bulk_create(stages)
        stages = list(Stage.objects.filter(pipeline=pipeline).order_by("position"))
    finder.add(pipeline, stages)
    return pipeline


@dataclass(frozen=True)
class StageLine:
    """A stage as it is to be: of an id that exists, or new (None)."""

    id: int | None
    key: str
    name: str
    kind: str


def _read(account: Account, given: Mapping[str, Any], now: datetime) -> tuple[str, str, list[StageLine]]:
    reader = Reader(account, now=now)
    said = reader.open(given, ("name", "key", "stages"), ignored=("id", "position"))
    name = reader.text(said, "name", longest=LONGEST_NAME, required=True)
    key = reader.text(said, "key", longest=LONGEST_KEY)
    stages: list[StageLine] = []
    listed = said.get("stages")
    if not isinstance(listed, list) or not listed or len(listed) > MOST_STAGES:
        reader.fault("stages", _("Give 1 to %(most)d stages.") % {"most": MOST_STAGES})
        listed = []
    faults = list(reader.faults)
    for place, each in enumerate(listed):
        try:
            one = reader.open(each, ("id", "key", "name", "kind"), ignored=("position", "deals"))
            stage_name = reader.text(one, "name", longest=LONGEST_NAME, required=True)
            stage_key = reader.text(one, "key", longest=LONGEST_KEY)
            kind = one.get("kind") or kind_of(stage_name)
            if kind not in Stage.Kind.values:
                reader.fault(
                    "kind", _("This must be one of %(allowed)s.") % {"allowed": ", ".join(Stage.Kind.values)}
                )
            number = None if one.get("id") in (None, "") else as_id(one["id"])
            if one.get("id") not in (None, "") and number is None:
                reader.fault("id", _("There is no such stage."))
            reader.close()
        except Refused as refusal:
            faults += [
                Fault(pointer=f"/stages/{place}{fault['pointer']}", detail=fault["detail"])
                for fault in refusal.faults
            ]
        else:
            stages.append(StageLine(number, stage_key, stage_name, str(kind)))
    twice = _twice([stage.name for stage in stages])
    if twice:
        faults.append(
            Fault(pointer="/stages", detail=_("Two stages are called “%(name)s”.") % {"name": twice})
        )
    if faults:
        raise Refused(faults).as_problem()
    return name, key, stages


def _twice(names: Sequence[str]) -> str:
    seen: set[str] = set()
    for name in names:
        plain = folded(name) or name
        if plain in seen:
            return name
        seen.add(plain)
    return ""


def _free_key(wanted: str, taken: set[str], longest: int = LONGEST_KEY) -> str:
    base = (wanted or "?")[: longest - 4]
    key, number = base, 2
    while key in taken:
        key, number = f"{base} {number}", number + 1
    return key


def make(account: Account, *, given: Mapping[str, Any], now: datetime) -> Pipeline:
    """A pipeline with its stages, in their order. Raises Invalid."""
    name, key, stages = _read(account, given, now)
    with transaction.atomic():
        taken = set(Pipeline.objects.filter(account=account).values_list("key", flat=True))
        if key and key in taken:
            raise _invalid("/key", _("There is a pipeline with this key already."))
        last = Pipeline.objects.filter(account=account).aggregate(last=Max("position"))["last"]
        pipeline = Pipeline.objects.create(
            account=account,
            key=key or _free_key(folded(name).replace(" ", "_") or name, taken),
            name=name,
            settled=True,
            position=0 if last is None else last + 1,
        )
        _write_stages(pipeline, [StageLine(None, one.key, one.name, one.kind) for one in stages])
    return pipeline


def change(pipeline: Pipeline, *, given: Mapping[str, Any], now: datetime) -> Pipeline:
    """Change a pipeline's name and stages: those listed by id stay, whatever their name; those not listed go.

    Keys stay. Raises Invalid, also for a stage that goes while deals stand there.
    """
    name, _key, stages = _read(pipeline.account, {"stages": as_lines(pipeline), **given, "key": ""}, now)
    with transaction.atomic():
        pipeline = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
        pipeline.name, pipeline.settled = name, True
        pipeline.save(update_fields=["name", "settled"])
        _write_stages(pipeline, stages)
    return pipeline


def as_lines(pipeline: Pipeline) -> list[dict[str, Any]]:
    """A pipeline's stages as they can be given back to `change`."""
    return [
        {"id": str(stage.pk), "key": stage.key, "name": stage.name, "kind": stage.kind}
        for stage in pipeline.stages.order_by("position", "pk")
    ]


def _write_stages(pipeline: Pipeline, lines: Sequence[StageLine]) -> None:
    known = {stage.pk: stage for stage in pipeline.stages.all()}
    listed = {line.id for line in lines if line.id is not None}
    if listed - set(known):
        raise _invalid("/stages", _("There is no such stage."))
    gone = set(known) - listed
    busy = Deal.objects.filter(stage_id__in=gone).values_list("stage__name", flat=True).first()
    if busy is not None:
        raise _invalid(
            "/stages", _("Deals stand in “%(stage)s”: move them first, then delete it.") % {"stage": busy}
        )
    Stage.objects.filter(pk__in=gone).delete()
    taken = {stage.key for pk, stage in known.items() if pk in listed}
    made = []
    for position, line in enumerate(lines):
        if line.id is None:
            key = _free_key(line.key or folded(line.name).replace(" ", "_") or line.name, taken)
            taken.add(key)
            made.append(Stage(pipeline=pipeline, key=key, name=line.name, kind=line.kind, position=position))
        else:
            stage = known[line.id]
            stage.name, stage.kind, stage.position = line.name, line.kind, position
    Stage.objects.bulk_update([known[pk] for pk in listed], ["name", "kind", "position"])
    Stage.objects.bulk_create(made)


def delete(pipeline: Pipeline) -> None:
    """Delete a pipeline that no deal is in. Raises Invalid otherwise."""
    with transaction.atomic():
        count = Deal.objects.filter(pipeline=pipeline).count()
        if count:
            said = ngettext(
                "%(count)d deal is in this pipeline: move or delete it first.",
                "%(count)d deals are in this pipeline: move or delete them first.",
                count,
            )
            raise _invalid("", said % {"count": count})
        pipeline.delete()


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid(detail, [Fault(pointer=pointer, detail=detail)])
