"""The code keeps its own rules: layers, length of files, settings told, objects found through one door, bound SQL."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "parcours"
LONGEST = 450


def sources(*, tests: bool = False) -> list[Path]:
    """The package's files, without migrations."""
    left_out = {"migrations"} if tests else {"migrations", "tests"}
    found = sorted(PACKAGE.rglob("*.py"))
    return [path for path in found if not left_out & set(path.relative_to(PACKAGE).parts)]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_upper_packages_import_lower_ones_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", sources(tests=True), ids=name_of)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST, f"{name_of(path)} has {lines} lines: split it."


def test_every_setting_that_is_read_is_told_in_the_docs() -> None:
    told = set(re.findall(r"`(PARCOURS_[A-Z_]+)`", (ROOT / "docs" / "configuration.md").read_text()))
    read: set[str] = set()
    for path in sources():
        read |= set(re.findall(r"""["'](PARCOURS_[A-Z_]+)["']""", path.read_text()))
    assert read - told == set(), "not in docs/configuration.md"
    assert told - read - INDIRECT == set(), "told in docs/configuration.md but read nowhere"


#: Read by the tests or by the shell, not by the package.
INDIRECT = {"PARCOURS_TEST_POSTGRES_URL"}


def _views() -> list[Path]:
    return [path for path in sources() if {"views", "api", "views.py", "api.py"} & set(path.parts)]


def _is_own_key(value: ast.expr) -> bool:
    """Whether an id is that of an object already at hand (`made.pk`), not one that came with the request."""
    return isinstance(value, ast.Attribute) and value.attr == "pk"


@pytest.mark.parametrize("path", _views(), ids=name_of)
def test_views_find_objects_through_access_alone(path: Path) -> None:
    """No `.get(…)` nor `get_object_or_404` on a model by id: `accounts.access.find` both finds and authorises."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        where = f"{name_of(path)}:{node.lineno}"
        if isinstance(node.func, ast.Name):
            assert node.func.id not in ("get_object_or_404", "get_list_or_404"), where
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            ids = [keyword.value for keyword in node.keywords if keyword.arg in ("pk", "id")]
            strange = [value for value in ids if not _is_own_key(value)]
            assert not strange, f"{where}: found by id outside `access.find`"


_SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|ALTER|CREATE|DROP)\s", re.IGNORECASE)
#: Functions whose parameters are names of tables and columns written in the code, never values.
_NAMES_ONLY = {
    "parcours/lib/bulk.py",
    # These compose SQL of fragments and bind each value; their tests send hostile ones.
    "parcours/criteria/compile.py",
    "parcours/criteria/few.py",
    "parcours/criteria/flips.py",
    "parcours/criteria/members.py",
    "parcours/criteria/whose.py",
    "parcours/segments/compute.py",
}
_EXECUTE = {"execute", "executemany", "raw", "RawSQL", "query", "command"}


#: A fragment of SQL or a name of the schema, or a function that makes one, says so in its own name.
_IS_SQL = re.compile(
    r"sql|clause|condition|where|among|columns?|marks|table|names?|query|join|select|order|placeholders?|quote|suffix",
    re.IGNORECASE,
)


def _written_in_code(value: ast.expr | None) -> bool:
    """Whether an expression is text written in the code, or made by a function that makes SQL (`bulk.among`)."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, str)
    if isinstance(value, ast.IfExp):
        return _written_in_code(value.body) and _written_in_code(value.orelse)
    if isinstance(value, ast.JoinedStr):
        return True  # An f-string that begins as SQL is looked into on its own.
    if isinstance(value, ast.Call):
        return bool(_IS_SQL.search(ast.unparse(value.func)))
    return False


def _fragments(tree: ast.AST) -> set[str]:
    """The names of a file that hold fragments of SQL written in the code."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _written_in_code(node.value):
            for target in node.targets:
                first = target.elts[0] if isinstance(target, ast.Tuple) else target
                if isinstance(first, ast.Name):
                    found.add(first.id)
    return found


def _pasted(node: ast.JoinedStr, fragments: set[str]) -> list[str]:
    """What an f-string of SQL pastes in, besides constants in capitals and fragments of SQL."""
    texts = [ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
    return [
        text
        for text in texts
        if not (text.split(".")[-1].isupper() or _IS_SQL.search(text) or text in fragments)
    ]


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_values_are_bound_never_pasted_into_sql(path: Path) -> None:
    if name_of(path) in _NAMES_ONLY:
        return
    tree = ast.parse(path.read_text())
    fragments = _fragments(tree)
    for node in ast.walk(tree):
        where = f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.JoinedStr):
            first = node.values[0] if node.values else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and _SQL.match(first.value):
                assert _pasted(node, fragments) == [], f"{where}: pasted into SQL"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _EXECUTE:
            for argument in node.args[:1]:
                formatted = isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.Mod)
                called = (
                    isinstance(argument, ast.Call)
                    and isinstance(argument.func, ast.Attribute)
                    and argument.func.attr == "format"
                )
                assert not formatted, f"{where}: SQL made by formatting"
                assert not called, f"{where}: SQL made by formatting"
