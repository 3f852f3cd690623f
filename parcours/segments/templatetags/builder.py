"""`{% load builder %}{% builder form.criteria actor.account %}`: composes a field of criteria without writing JSON."""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BoundField
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from parcours.accounts.models import Account
from parcours.segments.builder import choices, texts
from parcours.segments.models import Segment

register = template.Library()


@register.inclusion_tag("segments/builder.html")
def builder(
    field: BoundField, account: Account, segment: Segment | None = None, aside: str = ""
) -> dict[str, Any]:
    """The builder of a form's field of criteria. `segment` is the one whose criteria they are, if it exists already;
    `aside` is the id of an element that shows the criteria in words and who meets them."""
    language = "fr" if (get_language() or "en").startswith("fr") else "en"
    return {
        "field": field,
        "segment": segment,
        "aside": aside,
        "choices": choices.everything(account, language),
        "words": texts.words(),
        "zone": timezone.get_current_timezone_name(),
        "url": reverse("builder:words").removesuffix("words"),
        "preview": reverse("api:preview"),
        "person": reverse("contacts:contact", args=["0"]),
    }
