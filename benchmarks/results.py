"""Keep what a benchmark measured, with what one needs to measure it again.

A file of benchmarks/results/ has: command, commit, date, processor, cores, bfloat16 (whether it is
faster here than float32), backend, versions {package: version}, and rows, the figures.
"""

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("keras", "tensorflow", "jax", "torch", "scipy", "numpy", "pillow")

#: Options that say where to write.
WRITES = ("--json", "-o", "--output", "--gallery")


def _commit():
    """The commit of the code, with a plus sign if files of the package differ from it."""
    git = ["git", "-C", str(ROOT)]
    try:
        found = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        )
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "neural_style"])
    except OSError:  # there is no Git
        return "unknown"
    return found.stdout.strip() + ("+" if changed.returncode else "")


#: The code that this process runs: taken now, as commits may come while it measures.
COMMIT = _commit()


def add_option(parser, name):
    """Give a benchmark its --json: where it keeps its figures."""
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        default=RESULTS / f"{name}.json",
        help=f"where to keep the figures (default: benchmarks/results/{name}.json)",
    )


def keep(path, rows):
    """Write the figures and where they come from to a file.

    Args:
        path: A Path.
        rows: What was measured; for json.
    """
    from keras import config

    from neural_style.vgg.precision import fast_bfloat16

    report = {
        "command": _command(),
        "commit": COMMIT,
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "bfloat16": fast_bfloat16(),
        "backend": config.backend(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")


def load(name):
    """What keep() wrote to benchmarks/results/NAME.json."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def _command():
    """The command line, without where it wrote what."""
    words, rest = [], iter(sys.argv[1:])
    for word in rest:
        if word in WRITES:
            next(rest)
        else:
            # a slash between digits is no path, but steps of a schedule: 512x15/30
            words.append("FOLDER" if os.sep in re.sub(r"(?<=\d)/(?=\d)", "", word) else word)
    return " ".join(["python -m benchmarks." + Path(sys.argv[0]).stem, *words])


def _processor():
    try:
        names = [
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
