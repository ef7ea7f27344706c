"""neural-style train."""

import argparse
from pathlib import Path
from typing import Any

from .common import Commands
from .interrupts import SAVING, Interrupts
from .options import add_options
from .signatures import parameters

#: Steps from one preview to the next.
PREVIEW_STEPS = 200

#: Parameters of train_transform_net() that are no options made from its signature, and why.
LEFT_OUT = {
    "style": "the arguments STYLE",
    "photos": "the argument PHOTOS",
    "output": "required here, as -o",
    "start": "--start, which takes a folder too",
    "strategy": "--strategy, which names TensorFlow's strategies",
    "callbacks": "functions of Python; --preview and --tensorboard make two",
    "terms": "objects of Python",
    "progress": "--quiet",
}

#: Types for parameters of train_transform_net() whose own annotation no text can give.
TYPES = {"weights": "Path | None"}


def add_train(commands: Commands) -> None:
    """Add the command "train".

    Args:
        commands: The program's commands.
    """
    command = commands.add_parser(
        "train",
        help="Train a network that paints any photo in one pass",
        description=(
            "Train a feed-forward network for the style of STYLE on the photos in PHOTOS. Networks"
            " for several styles are trained together. Options not given have"
            " train_transform_net()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("style", metavar="STYLE", nargs="+", help="The painting, or several")
    command.add_argument(
        "photos", metavar="PHOTOS", help="A folder of photos, searched with its subfolders"
    )
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help=(
            "The .keras file to write. For several styles: the folder for their files, which have "
            "the names of the paintings"
        ),
    )
    command.add_argument(
        "--start",
        metavar="NET",
        help=(
            "Go on from this network, a .keras file or the name of a pretrained style; or from "
            "the networks in this folder, one file for each style"
        ),
    )
    command.add_argument(
        "--strategy",
        choices=("mirrored", "multi-worker"),
        help=(
            "mirrored: train on all devices of this machine. "
            "multi-worker: train on the machines that TF_CONFIG names"
        ),
    )
    command.add_argument(
        "--preview",
        metavar="FOLDER",
        help=f"Paint three of the PHOTOS every {PREVIEW_STEPS} steps, and write them here",
    )
    command.add_argument("--tensorboard", metavar="FOLDER", help="Write logs for TensorBoard here")
    command.add_argument(
        "--overwrite", action="store_true", help="Let OUT replace the network of --start"
    )
    command.add_argument(
        "--quiet", dest="progress", action="store_false", help="Show no progress bar"
    )
    group = command.add_argument_group("options of train_transform_net()")
    add_options(
        group, "feedforward.training", "train_transform_net", leave_out=LEFT_OUT, types=TYPES
    )
    command.set_defaults(run=run_train)


def run_train(arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """Run the command "train".

    Args:
        arguments: The parsed arguments.
        interrupts: The phase of the program, which is SAVING from the end of the training on.

    Returns:
        The exit code; that of an interrupt where the training made fewer steps than asked for.

    Raises:
        ValueError: Paintings of one name, or an output that is also an input.
    """
    import keras

    from .._shared.display import say
    from ..feedforward.training import train_transform_net

    options = vars(arguments)
    names = [Path(style).stem for style in options["style"]]
    if len({*names}) < len(names):
        raise ValueError(
            f"the paintings must have different names. Received: {', '.join(options['style'])}"
        )
    folder = _folder(options)
    starts = {name: Path(folder, f"{name}.keras") for name in names} if folder else {}
    _check_networks(options, names, [*options["style"], *starts.values()])
    # First of all that needs TensorFlow: several workers must meet at its start.
    if "strategy" in options:
        options["strategy"] = _strategy(options["strategy"])
    options["callbacks"] = _callbacks(options, interrupts)
    paintings = dict(zip(names, options["style"]))
    options["style"] = paintings if len(paintings) > 1 else options["style"][0]
    if "start" in options:
        options["start"] = _networks(options["start"], starts)
    nets = train_transform_net(**options)
    record = (nets if isinstance(nets, keras.Model) else next(iter(nets.values()))).record
    losses = ", ".join(f"{name} {value:.3f}" for name, value in record["losses"].items())
    say(f"{options['output']}: {record['steps']} steps; {losses}")
    return interrupts.code if record["steps"] < record["settings"]["steps"] else 0


def _folder(options: dict[str, Any]) -> Path | None:
    """Return the folder that --start names; None where it names something else, or nothing."""
    start = options.get("start")
    return Path(start) if start is not None and Path(start).is_dir() else None


def _check_networks(options: dict[str, Any], names: list[str], inputs: list[Any]) -> None:
    """Raise a clear error if a network to be written is one of the inputs, or cannot be written."""
    from .._shared.files import check_output

    output, overwrite = Path(options["output"]), options.pop("overwrite", False)
    inputs = [*inputs, options.get("start"), options.get("weights")]
    written = [output]
    if len(names) > 1:
        written = [output / f"{name}.keras" for name in names] if output.is_dir() else []
    for path in written:
        check_output(path, inputs, overwrite)


def _strategy(name: str) -> Any:
    """Return TensorFlow's strategy for several devices or several machines."""
    import tensorflow as tf

    return {
        "mirrored": tf.distribute.MirroredStrategy,
        "multi-worker": tf.distribute.MultiWorkerMirroredStrategy,
    }[name]()


def _callbacks(options: dict[str, Any], interrupts: Interrupts) -> list[Any]:
    """Return the callbacks of the training; --preview and --tensorboard leave the options."""
    import keras

    from .._shared.optional import load
    from ..feedforward.crops import Crops
    from ..feedforward.training_callbacks import Preview

    preview, logs = options.pop("preview", None), options.pop("tensorboard", None)

    def ended(logs: Any = None) -> None:
        interrupts.phase = SAVING  # The trained network is written now.

    callbacks = [keras.callbacks.LambdaCallback(on_train_end=ended)]
    if preview:
        default = parameters("feedforward.training", "train_transform_net")["crop"].default
        photos = Crops(options["photos"], options.get("crop", default)).first(3)
        callbacks.append(Preview(photos, preview, steps=PREVIEW_STEPS))
    if logs:
        load("tensorboard")
        callbacks.append(keras.callbacks.TensorBoard(logs))
    return callbacks


def _networks(start: str, starts: dict[str, Path]) -> Any:
    """Load the network that the training goes on from, or {style: network} for several."""
    from ..feedforward.network_file import load_transform_net
    from ..feedforward.resolve_network import resolve_network

    if not starts:
        return resolve_network(start)
    nets = {name: load_transform_net(path) for name, path in starts.items()}
    return nets if len(nets) > 1 else next(iter(nets.values()))
