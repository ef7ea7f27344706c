"""Settings of the paper and of well-known programs, as plain dicts of transfer()'s arguments.

    from neural_style import presets, transfer
    transfer(content, style, **presets.gatys_2016)
    transfer(content, style, **{**presets.gatys_2016, "network": "vgg16", "size": 256})

in_place is this library's own. The others' losses are the published ones, number for number. They
depart from the programs in four points. The content image and the style image keep their own
proportions, where a program would squash one of them to the other's size. Gram matrices are divided
by their own numbers of positions, so the numbers agree with the published ones if the sizes agree.
L-BFGS runs through, where many programs restart it every 20 evaluations and lose its memory; a step
may take more than one evaluation. The weights are those that `weights` finds.

In the formulas below, F and P are feature maps of the generated picture and of the content image. G
and A are Gram matrices F F^T of the generated picture and of the style image. There are N channels
and M positions. d_i and d_j are differences to the pixels below and to the right, in gray levels.
"""

from typing import Any

# The order is that of NAMES.
# isort: off
from .papers import gatys_2015 as gatys_2015
from .papers import gatys_2016 as gatys_2016
from .papers import gatys_pytorch as gatys_pytorch
from .programs import keras_example as keras_example
from .programs import chollet_dlwp as chollet_dlwp
from .programs import vgg16_avgpool as vgg16_avgpool
from .programs import johnson_neural_style as johnson_neural_style
from .programs import anishathalye as anishathalye
from .programs import neural_style_tf as neural_style_tf
from .papers import deep_photo as deep_photo
# isort: on

#: The names of the presets.
NAMES = (
    *(
        name
        for name, value in list(globals().items())
        if isinstance(value, dict) and not name.startswith("_")
    ),
    "nnst",
    "strotss",
    "crowsonkb",
    "in_place",
)


def __getattr__(name: str) -> Any:
    """Load a preset that holds objects when it is first asked for.

    Args:
        name: its name.
    """
    if name in ("nnst", "strotss"):
        from . import neighbors

        return getattr(neighbors, name)
    if name == "crowsonkb":
        from .crowson import crowsonkb

        return crowsonkb
    if name == "in_place":
        from .own import in_place

        return in_place
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get(name: str) -> dict[str, Any]:
    """Find a preset by its name.

    Args:
        name: one of NAMES.

    Returns:
        The preset: transfer()'s keyword arguments.

    Raises:
        ValueError: there is no such preset; the message lists the names.
    """
    if name not in NAMES:
        raise ValueError(f"preset must be one of {', '.join(NAMES)}. Received: {name!r}")
    return globals()[name] if name in globals() else __getattr__(name)
