"""What a benchmark measured, and how it is written down in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, the plain figure, its yardstick, their ratio, and what to reach."""

    what: str
    plain: str
    against: str = ""
    ratio: float | None = None
    to_reach: str = ""
    reached: bool | None = None


def machine() -> str:
    """The machine of this run, in a few words."""
    try:
        model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    except OSError:
        model = memory = None
    name = model[1].strip() if model else platform.processor() or "unknown processor"
    size = f", {int(memory[1]) // 1024 // 1024 + 1} GiB" if memory else ""
    return f"{os.cpu_count()} cores of {name}{size}, {platform.system()} {platform.release().split('-')[0]}"


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| what | figure | against | ratio | to reach | reached |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for each in figures:
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        reached = "" if each.reached is None else "yes" if each.reached else "**no**"
        lines.append(
            f"| {each.what} | {each.plain} | {each.against} | {ratio} | {each.to_reach} | {reached} |"
        )
    return "\n".join(lines)


def write(figures: list[Figure]) -> None:
    """Put the figures, the machine and the day in the document, in place of the former ones."""
    head = f"Measured on {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {machine()}.\n"
    block = f"{_BEGIN}\n{head}\n{table(figures)}\n{_END}"
    text = DOCUMENT.read_text() if DOCUMENT.exists() else f"# Benchmarks\n\n{_BEGIN}\n{_END}\n"
    text = re.sub(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", lambda _: block, text, flags=re.DOTALL)
    DOCUMENT.write_text(text)
