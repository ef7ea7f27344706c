"""What an Evaluator asks of its losses: layers that are there, and one number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..losses.loss import Loss


def check_layers_of(losses: Mapping[str, Any], extractor: Any) -> None:
    """Raise a ValueError for a loss of layers that the network does not give.

    Args:
        losses: {name: a loss}. Only a losses.Loss tells its layers.
        extractor: The network. Only a keras.Model with named outputs tells its layers.
    """
    known: Any = getattr(extractor, "output", None)
    for name, loss in losses.items() if isinstance(known, dict) else ():
        missing = [layer for layer in loss.sums if layer not in known] if _tells(loss) else []
        if missing:
            raise ValueError(
                f"the loss {name!r} needs the layers {', '.join(missing)}, which the network does"
                f" not give; a term must name them among its `layers`. The network gives:"
                f" {', '.join(known)}"
            )


def weighted(name: str, weight: float, value: Any) -> Any:
    """weight * value; a TypeError unless the value of the loss is one number.

    Args:
        name: The loss.
        weight: Its weight.
        value: What it returned.
    """
    shape = getattr(value, "shape", None)
    rank = getattr(shape, "rank", None if shape is None else len(shape))
    if not isinstance(value, (int, float)) and (shape is None or rank):
        came = type(value).__name__ if shape is None else f"shape {tuple(shape)}"
        raise TypeError(f"the loss {name!r} must be one number. Received: {came}")
    return weight * value


def _tells(loss: Any) -> bool:
    return isinstance(loss, Loss)
