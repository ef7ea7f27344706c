"""The tables of README.md and docs/, in Markdown, from the files of benchmarks/results/."""

import statistics

from .knobs import KNOBS, strip_name
from .markdown import cells, farthest, grid, means, source
from .methods import table as methods_table
from .results import RESULTS, load

#: What is told of a picture, and its format.
JUDGED = {"content": ".3f", "style": ".3f", "lowered": ".1%", "seconds": ".0f"}


def quality():
    return _quality("quality", 512)


def quality_256():
    return _quality("quality_256", 256)


def _quality(name, size):
    rows = load(name)["rows"]
    pairs = [row for row in rows if "classic" not in row["pair"]]
    others = [row for row in rows if "classic" in row["pair"]]
    lines = [*pairs, {"pair": "mean", **means(pairs, JUDGED)}, *others]
    lines = [[row["pair"].replace("_", " "), *cells(row, JUDGED)] for row in lines]
    return grid([f"{size} px", *JUDGED], lines) + source(name)


def precision():
    both = {name: load(name)["rows"] for name in ("quality_float32", "quality_bfloat16")}
    pairs = both["quality_bfloat16"]
    apart = farthest(pairs, both["quality_float32"])
    lines = [
        [name, *cells(means(rows, JUDGED), JUDGED)]
        for name, rows in zip(("float32", "bfloat16"), (both["quality_float32"], pairs))
    ]
    text = f"\nPair by pair, content and style differ by at most {apart:.3f}.\n"
    return grid(["256 px, eight pairs", *JUDGED], lines) + text + source(*both)


def optimizers():
    rows = load("optimizers")["rows"]
    ratios = [row["lbfgs"]["loss"] / row["scipy"]["loss"] for row in rows]
    forms = {"evaluations": ".0f", "loss": ".4f", "content": ".3f", "style": ".3f"}
    forms |= {"seconds": ".1f"}
    lines = [
        [f'`"{name}"`', *cells(means([row[name] for row in rows], forms), forms)]
        for name in ("lbfgs", "scipy")
    ]
    text = (
        f"\nThe last loss of `lbfgs` is SciPy's times {statistics.mean(ratios):.4f} on average,"
        f" {min(ratios):.4f} to {max(ratios):.4f}.\n"
    )
    return grid(["", *forms], lines) + text + source("optimizers")


def backends():
    report = load("backends")["rows"]
    first = next(iter(report.values()))["pairs"]
    forms = {"loss off by": ".0e", "gradient off by": ".0e"}
    of_pairs = {"content": ".3f", "style": ".3f", "seconds": ".1f"}
    lines = [
        [
            name,
            *cells(row, forms),
            *cells(means(row["pairs"], of_pairs), of_pairs),
            f"{farthest(row['pairs'], first):.4f}",
        ]
        for name, row in report.items()
    ]
    return grid(["", *forms, *of_pairs, "farthest pair"], lines) + source("backends")


def speed():
    report = load("speed")["rows"]
    classic, torch = report["classic"], report["torch"]
    lines = [
        [
            f"the Keras program that most tutorials copy, {classic['size']} px",
            f"{classic['evaluations']} evaluations, {classic['seconds']:.0f} s",
            "",
        ]
    ]
    for name, label in (
        ("the same noise, all else equal", "to the loss where it ends, from the same noise"),
        ("our start", "the same, from our own start, the recolored photo"),
    ):
        row = classic[name]
        took = f"{row['steps']} steps, {row['seconds']:.1f} s"
        lines.append([f"`transfer()` {label}", took, f"{row['ratio']:.1f} times faster"])
    for name, row in report["evaluation"].items():
        share = f"{row['gflops'] / row['peak']:.0%} of a matrix product's {row['peak']:.0f} GFLOP/s"
        lines.append([f"one loss and gradient, {name}", f"{row['seconds']:.2f} s", share])
    lines.append(
        [
            f"PyTorch, the same network, losses and picture, {torch['size']} px",
            f"{torch['torch']:.2f} s against {torch['seconds']:.2f} s",
            f"{torch['ratio']:.2f} times faster",
        ]
    )
    for name, row in report["overhead"].items():
        label = f"share of the optimizer and of our own code, {row['size']} px, {name}"
        lines.append([label, f"{row['share']:.1%}", ""])
    return grid(["", "", ""], lines) + source("speed")


def memory():
    kept = ("memory", "memory_run", "memory_tiles", "memory_4096")
    names = [name for name in kept if (RESULTS / f"{name}.json").exists()]
    if not names:
        raise FileNotFoundError("no memory was measured")
    lines = [
        [f"{row['size']} x {row['size']}", f"`{options}`", row["precision"], f"{row['gb']:.2f}"]
        for name in names
        for options in [load(name)["command"].partition("memory ")[2]]
        for row in load(name)["rows"]
    ]
    return grid(["pixels", "options", "precision", "GB"], lines) + source(*names)


def estimates():
    lines = [
        [name, f"{row['told']:.0f}", f"{row['took']:.0f}", f"{row['told'] / row['took']:.2f}"]
        for name, row in load("estimates")["rows"].items()
    ]
    return grid(["a run", "told, s", "took, s", "ratio"], lines) + source("estimates")


def gpu():
    report = load("gpu")["rows"]
    forms = {"cold": ".1f", "warm": ".1f", "network": ".0%", "gb": ".2f"}
    lines = [[size, *cells(row, forms)] for size, row in report.items() if size.isdigit()]
    return grid([report["machine"], *forms], lines) + source("gpu")


def schedule():
    lines = [[f"`{row['schedule']}`", *cells(row, JUDGED)] for row in load("schedule")["rows"]]
    return grid(["", *JUDGED], lines) + source("schedule")


def one_pass():
    rows = load("one_pass")["rows"]
    slow = [row for row in load("quality")["rows"] if "+" in row["pair"]]
    same = {row["pair"] for row in slow}
    rows += [
        {**row, "by": "one pass, `transfer()`'s pairs"}
        for row in rows
        if row["by"] == "one pass" and " + ".join(row["pair"]) in same
    ]
    rows += [{**row, "by": "`transfer()`"} for row in slow]
    forms = {**JUDGED, "seconds": ".2f", "known": ".2f"}
    lines = []
    for who in dict.fromkeys(row["by"] for row in rows):
        own = [row for row in rows if row["by"] == who]
        has = {key: form for key, form in forms.items() if all(key in row for row in own)}
        lines.append(
            [f"{who}, {len(own)} pairs", *cells({**dict.fromkeys(forms), **means(own, has)}, forms)]
        )
    return grid(["", *forms], lines) + source("one_pass", "quality")


def methods():
    return methods_table(load("methods")["rows"]) + source("methods")


def knobs():
    """A section for each argument: what it does, its strip of pictures, and their numbers."""
    forms = {"content": ".3f", "style": ".3f", "seconds": ".0f"}
    rows, text = load("knobs")["rows"], []
    for knob in KNOBS:
        values = [row["value"].replace("*", "\\*") for row in rows[knob.name]]
        numbers = [
            [key, *(format(row[key], form) for row in rows[knob.name])]
            for key, form in forms.items()
        ]
        strip = f"![{knob.name}](pictures/knobs/{strip_name(knob.name)})"
        table = grid([knob.name, *values], numbers)
        text.append(f"## {knob.name}\n\n{knob.says}\n\n{strip}\n\n{table}")
    return "\n".join(text) + source("knobs")


def networks():
    """The trained networks beside transfer(), and their speed."""
    forms = {"network content": ".3f", "network style": ".3f"}
    forms |= {"transfer content": ".3f", "transfer style": ".3f"}
    lines = [
        [name, *cells(row, forms), f"{row['network style'] / row['transfer style'] - 1:.0%}"]
        for name, row in load("networks")["rows"].items()
    ]
    return grid(["", *forms, "style farther by"], lines) + source("networks")


def fast():
    row = load("fast")["rows"]
    lines = [
        ["512 x 512, float32", f"{row['float32']:.2f} s"],
        ["512 x 512, bfloat16", f"{row['bfloat16']:.2f} s"],
        ["2000 x 1500", f"{row['gb of 2000 x 1500']:.1f} GB"],
    ]
    return grid(["the half-width network", ""], lines) + source("fast")


def photorealism():
    report = load("photorealism")["rows"]
    pairs = dict.fromkeys(tuple(row["pair"]) for row in report["pairs"])
    forms = {"residual": ".1f", "lowered": ".0%", "edges": ".3f"}
    lines = []
    for pair in pairs:
        of = {row["by"]: row for row in report["pairs"] if tuple(row["pair"]) == pair}
        both = zip(*(cells(of[by], forms) for by in ("without", "with")))
        lines.append([" by ".join(pair).replace("_", " "), *map(", ".join, both)])
    others = {
        by: [row["lowered"] for row in report["pairs"] if row["by"] == by]
        for by in ("affine in Lab", "solved")
    }
    ranges = {by: f"{min(values):.0%} to {max(values):.0%}" for by, values in others.items()}
    text = (
        f"\nOne affine change of all colors brings the style {ranges['affine in Lab']} nearer, a"
        f" painted result as local recolorings {ranges['solved']}. The Laplacian of a picture of"
        f" 700 pixels takes {report['laplacian']['seconds']:.1f} s, once PyMatting is compiled,"
        f" and the process {report['laplacian']['gb']:.1f} GB.\n"
    )
    header = ["", "residual: painted, held", "style nearer: painted, held"]
    return grid([*header, "edges: painted, held"], lines) + text + source("photorealism")


def films():
    names = ("video", "video_street")
    clips = [{row["method"]: row for row in load(name)["rows"]} for name in names]
    lines = []
    for method in clips[0]:
        line = [f'`"{method}"`']
        for clip in clips:
            row, most = clip[method], clip["independent"]["error"]
            line += [f"{row['error']:.5f} ({row['error'] / most:.2f} times)", f"{row['style']:.3f}"]
        lines.append(line)
    header = ["", "warping error, made clip", "style", "warping error, street", "style"]
    return grid(header, lines) + source(*names)


def films_by_a_network():
    rows = load("video_network")["rows"]
    large, long = rows["320 x 240"], [*rows["128 x 96"]["gb"].values()]
    return (
        f"By a half-width network: {large['frames a second']:.0f} frames a second at 320 x 240,"
        f" decoding and encoding counted. After ten frames of a film the process takes"
        f" {long[0]:.2f} GB, after 2,000 {long[-1]:.2f} GB.\n" + source("video_network")
    )


def readme():
    rows, speeds, fast = (load(name)["rows"] for name in ("quality", "speed", "fast"))
    pairs = [row for row in rows if "classic" not in row["pair"]]
    classic, torch, average = speeds["classic"], speeds["torch"], means(pairs, JUDGED)
    same = classic["the same noise, all else equal"]["seconds"]
    lines = [
        (
            f"`transfer()`, 512 px, mean of {len(pairs)} pairs",
            f"distance to the photo {average['content']:.3f}, to the painting"
            f" {average['style']:.3f}; {average['seconds']:.0f} s",
        ),
        (
            f"the Keras program that most tutorials copy, {classic['size']} px",
            f"{classic['seconds']:.0f} s; `transfer()` reaches its loss in {same:.0f} s,"
            " all else equal",
        ),
        (
            f"PyTorch, the same losses, one evaluation at {torch['size']} px",
            f"{torch['torch']:.2f} s; here {torch['seconds']:.2f} s",
        ),
        ("a trained network, 512 px", f"{min(fast['float32'], fast['bfloat16']):.2f} s"),
    ]
    return grid(["", ""], lines)


#: {name of a table: the function that writes it}.
TABLES = {
    table.__name__: table
    for table in (
        quality,
        quality_256,
        precision,
        optimizers,
        backends,
        speed,
        memory,
        estimates,
        gpu,
        schedule,
        one_pass,
        methods,
        knobs,
        networks,
        fast,
        photorealism,
        films,
        films_by_a_network,
        readme,
    )
}
