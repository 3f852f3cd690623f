"""docs/api.md names every operation of the API, with the scope that it asks for."""

from __future__ import annotations

import re
from pathlib import Path

from parcours.config.api import api
from tests.architecture.routes import API

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def rows() -> list[str]:
    """A row of the page's table for each operation, as it has to be."""
    found = []
    for path, operations in api.get_openapi_schema()["paths"].items():
        for method, said in operations.items():
            name = f"{method.upper()} {path}"
            route = name.replace("/api/v1/", "/")
            summary = said["summary"].replace("|", "\\|")
            found.append(f"| `{route}` | {API.get(name, '?')} | {summary} |")
    return found


def test_every_operation_is_on_the_page_and_no_other() -> None:
    wanted = rows()
    written = re.findall(r"^\| `[A-Z]+ /.*$", PAGE.read_text(), re.MULTILINE)
    missing = "\n".join(row for row in wanted if row not in written)
    gone = "\n".join(row for row in written if row not in wanted)
    assert not missing, f"These rows are missing in docs/api.md:\n{missing}"
    assert not gone, f"These rows of docs/api.md are of no operation:\n{gone}"
    assert len(written) == len(set(written))
