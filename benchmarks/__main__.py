"""`make bench`: run every benchmark (or those named), print the table, and write it to docs/benchmarks.md."""

from __future__ import annotations

import argparse
import importlib
import time

from benchmarks import report

ALL = ("collector", "digest", "engine", "figures", "growth", "imports", "mail", "pages", "segments")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all when none is named")
    parser.add_argument("--print", action="store_true", help="print only, leave the document alone")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(ALL))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}")
    figures: list[report.Figure] = []
    for name in arguments.names or ALL:
        started = time.monotonic()
        print(f"{name}…", flush=True)
        figures += importlib.import_module(f"benchmarks.{name}").run()
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    print(report.table(figures))
    if not arguments.print and not arguments.names:
        report.write(figures)


if __name__ == "__main__":
    main()
