"""Business units: the brands inside an account, to which lists, messages and journeys can be limited."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from parcours.accounts.models import BusinessUnit
from parcours.lib.lines import is_line
from parcours.lib.problems import Fault, Invalid

LONGEST_NAME = 200


def save(unit: BusinessUnit, name: str) -> BusinessUnit:
    """Keep a unit, a new one or a known one, under a name.

    Raises Invalid for a name that is empty, no line of text, or another unit's.
    """
    unit.name = name.strip()
    detail = ""
    if not unit.name or len(unit.name) > LONGEST_NAME:
        detail = _("A name has 1 to 200 characters.")
    elif not is_line(unit.name):
        detail = _("A line break or an invisible character has no place here.")
    else:
        try:
            with transaction.atomic():
                unit.save()
        except IntegrityError:
            detail = _("There is a business unit of this name already.")
    if detail:
        raise Invalid(detail, [Fault(pointer="/name", detail=detail)])
    return unit
