"""The heads of tables whose columns sort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Column:
    """The head of a column that sorts: `then` is the order that choosing it gives, `order` the present one."""

    label: Promise | str
    then: str
    order: str
    css: str


def columns(
    labels: Mapping[str, Promise | str],
    sort: str,
    *,
    figures: tuple[str, ...] = (),
    falling: tuple[str, ...] = (),
    css: Mapping[str, str] | None = None,
) -> list[Column]:
    """The heads of a table's columns; those that are `falling` begin with the largest, `css` says their classes."""
    heads = []
    for name, label in labels.items():
        order = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        turned = {"ascending": f"-{name}", "descending": name}
        then = turned.get(order, f"-{name}" if name in falling else name)
        classes = (css or {}).get(name, "number" if name in figures else "")
        heads.append(Column(label, then, order, classes))
    return heads
