"""Write the tables of README.md and docs/ from the files of benchmarks/results/.

    python -m benchmarks.report [--check]

A table stands in a page between <!-- report: NAME --> and <!-- end -->; benchmarks.tables has the
names. --check writes nothing, and exits with 1 if a page differs from what would be written.
"""

import argparse
import re
import sys

from .results import ROOT
from .tables import TABLES

BLOCK = re.compile(r"(<!-- report: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    stale = []
    for path in pages():
        old = path.read_text()
        new = filled(old)
        if new != old:
            stale.append(path.relative_to(ROOT))
            if not arguments.check:
                path.write_text(new)
    for path in stale:
        print(f"{path}: {'differs from benchmarks/results/' if arguments.check else 'written'}")
    sys.exit(1 if stale and arguments.check else 0)


def pages():
    """The pages that may have tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def filled(text):
    """A page with each table as its results say."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{_table(found[2])}\n{found[3]}", text)


def _table(name):
    try:
        return TABLES[name]()
    except FileNotFoundError:
        return "Not measured yet with this version.\n"


if __name__ == "__main__":
    main()
