"""Parts of tables in Markdown."""

import statistics

from .results import load


def grid(header, rows):
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def source(*names):
    """Which commands measured it, with which code, and where."""
    reports = [load(name) for name in names]
    commands = " and ".join(dict.fromkeys(f"`{report['command']}`" for report in reports))
    machines = "; ".join(dict.fromkeys(machine(report) for report in reports))
    return f"\n{commands}: {machines}.\n"


def machine(report):
    hardware = "with fast" if report["bfloat16"] else "without fast"
    packages = ("tensorflow", "keras")
    versions = ", ".join(f"{name} {report['versions'][name]}" for name in packages)
    return (
        f"{report['cores']} cores of an {report['processor']} {hardware} bfloat16,"
        f" commit {report['commit']}, {report['date']}, {versions}"
    )


def cells(row, forms):
    """A row's numbers as text; empty where there is none."""
    return ["" if row[key] is None else format(row[key], form) for key, form in forms.items()]


def means(rows, forms):
    return {key: statistics.mean(row[key] for row in rows) for key in forms}


def farthest(rows, others):
    """The largest difference in content or style, pair by pair."""
    return max(abs(a[key] - b[key]) for a, b in zip(rows, others) for key in ("content", "style"))
