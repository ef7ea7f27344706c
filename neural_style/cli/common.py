"""What several commands share: texts to values, and a line on standard error."""

import contextlib
import sys
from pathlib import Path


def _complain(line):
    """A line on standard error, where there is one."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(f"neural-style: {line}", file=sys.stderr, flush=True)


def _pretrained():
    return sorted(path.stem for path in (Path(__file__).parents[1] / "pretrained").glob("*.keras"))


def _shares(text):
    """starry_night -> that; starry_night=0.6,poppies=0.4 -> {"starry_night": 0.6, "poppies": 0.4}."""
    layers = _layers(text)
    return (
        layers
        if isinstance(layers, dict)
        else layers[0]
        if len(layers) == 1
        else dict.fromkeys(layers, 1.0)
    )


def _integer_or_none(text):
    return None if text == "none" else int(text)


def _tile(text):
    return text if text == "auto" else _integer_or_none(text)


def _integers(text):
    return tuple(int(number) for number in text.split(","))


def _numbers(text):
    return [float(number) for number in text.split(",")]


def _layers(text):
    """conv1_1,conv2_1=0.5 -> {"conv1_1": 1.0, "conv2_1": 0.5}; without weights -> a list of names."""
    pairs = [item.partition("=")[::2] for item in text.split(",")]
    if not any(weight for _, weight in pairs):
        return [name for name, _ in pairs]
    return {name: float(weight or 1) for name, weight in pairs}
