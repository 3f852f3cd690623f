"""What the API's schemas find wrong, said in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _


def said(error: Mapping[str, Any]) -> str:
    """A fault of pydantic's as a sentence; its own English one where it is of a kind that no schema of ours gives."""
    context = error.get("ctx") or {}
    match error["type"]:
        case "missing":
            return _("This is needed.")
        case "extra_forbidden":
            return _("There is no such field.")
        case "string_type":
            return _("This must be a text.")
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return _("This must be a whole number.")
        case "float_type" | "float_parsing":
            return _("This must be a number.")
        case "bool_type" | "bool_parsing":
            return _("This must be true or false.")
        case "list_type":
            return _("This must be a list.")
        case "dict_type" | "model_type" | "model_attributes_type":
            return _("This must be an object.")
        case "literal_error":
            allowed = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
            return _("This must be one of %(allowed)s.") % {"allowed": allowed.removeprefix(", ")}
        case "string_too_short" if context.get("min_length") == 1:
            return _("This is needed.")
        case "string_too_long":
            return _("The text is longer than %(longest)d characters.") % {"longest": context["max_length"]}
        case "too_long":
            return _("This must be a list of at most %(most)s values.") % {"most": context["max_length"]}
        case "greater_than_equal":
            return _("This must be at least %(least)s.") % {"least": context["ge"]}
        case "less_than_equal":
            return _("This must be at most %(most)s.") % {"most": context["le"]}
    return str(error["msg"])
