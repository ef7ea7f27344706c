"""neural-style train."""

import argparse
from pathlib import Path

from .common import _layers
from .interrupts import SAVING


def _add_train(commands):
    command = commands.add_parser(
        "train",
        help="train a network that paints any photo in one pass",
        description=(
            "Train a feed-forward network for the style of STYLE on the photos in PHOTOS. Networks"
            " for several styles are trained together. Options not given have"
            " train_transform_net()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("style", metavar="STYLE", nargs="+", help="the painting, or several")
    command.add_argument("photos", metavar="PHOTOS", help="a folder of photos, searched through")
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help=(
            "the .keras file to write; for several styles, the folder for "
            "their files, named after them"
        ),
    )
    command.add_argument(
        "--width", type=int, help="filters of the first layer (16; 32 in the paper)"
    )
    command.add_argument("--crop", type=int, help="side of the training pictures in pixels (256)")
    command.add_argument(
        "--batch-size", type=int, help="pictures in a step, of all devices together (4)"
    )
    command.add_argument("--steps", type=int, help="batches (2000)")
    command.add_argument(
        "--style-size",
        type=int,
        metavar="SIZE",
        help="longer side of STYLE in pixels: larger, larger strokes (512)",
    )
    command.add_argument(
        "--content-weight", type=float, metavar="W", help="weight of the content loss"
    )
    command.add_argument("--style-weight", type=float, metavar="W", help="weight of the style loss")
    command.add_argument("--tv-weight", type=float, metavar="W", help="weight of total variation")
    command.add_argument(
        "--grid-weight",
        type=float,
        metavar="W",
        help="weight of the pattern that upsampling may leave (0.1)",
    )
    command.add_argument(
        "--style-scales",
        type=int,
        metavar="N",
        help="sizes at which the style is compared: 2: also at half the size (1)",
    )
    command.add_argument("--content-layers", type=_layers, metavar="L[=W],...", help="relu3_3")
    command.add_argument(
        "--style-layers",
        type=_layers,
        metavar="L[=W],...",
        help="relu1_2,relu2_2,relu3_3=0.3,relu4_3=0.1",
    )
    command.add_argument(
        "--learning-rate", type=float, metavar="R", help="of KernelMuon, at the start (0.003)"
    )
    command.add_argument(
        "--start",
        metavar="NET",
        help=(
            "go on from this network: a .keras file or the name of a pretrained style; or from "
            "those in a folder, a file for each style"
        ),
    )
    command.add_argument("--name", help="of the style, for the file's record (STYLE's file name)")
    command.add_argument("--license", help="of the style, for the file's record")
    command.add_argument("--network", choices=("vgg16", "vgg19"), help="feature network (vgg16)")
    command.add_argument(
        "--weights", help="imagenet (default), torchvision, or a .h5, .mat or .npz file"
    )
    command.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="of the convolutions (float32)"
    )
    command.add_argument(
        "--strategy",
        choices=("mirrored", "multi-worker"),
        help="several devices of this machine; several machines, named in TF_CONFIG",
    )
    command.add_argument(
        "--checkpoint",
        metavar="FOLDER",
        help="keep the state here every 50 steps, and go on from it where there is one",
    )
    command.add_argument(
        "--preview",
        metavar="FOLDER",
        help="write here every 200 steps what becomes of three of the PHOTOS",
    )
    command.add_argument("--tensorboard", metavar="FOLDER", help="write logs for TensorBoard here")
    command.add_argument("--seed", type=int, help="of all chance (0)")
    command.add_argument(
        "--overwrite", action="store_true", help="let OUT replace the network of --start"
    )
    command.add_argument("--quiet", dest="progress", action="store_false", help="no progress bar")
    command.set_defaults(run=_train)


def _train(arguments, interrupts):
    import keras

    from .._shared.display import say
    from .._shared.optional import load
    from ..feedforward.crops import Crops
    from ..feedforward.network_file import load_transform_net
    from ..feedforward.stylize import resolve
    from ..feedforward.training import train_transform_net
    from ..feedforward.training_callbacks import Preview

    options = vars(arguments)
    preview, logs = options.pop("preview", None), options.pop("tensorboard", None)
    names = [Path(style).stem for style in options["style"]]
    if len({*names}) < len(names):
        raise ValueError(
            f"the paintings must have different names. Received: {', '.join(options['style'])}"
        )
    paintings = dict(zip(names, options["style"]))
    folder = (
        Path(options["start"]) if "start" in options and Path(options["start"]).is_dir() else None
    )
    starts = {name: Path(folder, f"{name}.keras") for name in names} if folder else {}
    _check_networks(options, names, [*options["style"], *starts.values()])
    if (
        "strategy" in options
    ):  # before anything else that needs TensorFlow: several workers must meet at its start
        import tensorflow as tf

        options["strategy"] = {
            "mirrored": tf.distribute.MirroredStrategy,
            "multi-worker": tf.distribute.MultiWorkerMirroredStrategy,
        }[options["strategy"]]()

    def ended(logs=None):
        interrupts.phase = SAVING  # what was trained is written now

    callbacks = options["callbacks"] = [keras.callbacks.LambdaCallback(on_train_end=ended)]
    if preview:
        callbacks.append(
            Preview(Crops(options["photos"], options.get("crop", 256)).first(3), preview, steps=200)
        )
    if logs:
        load("tensorboard")
        callbacks.append(keras.callbacks.TensorBoard(logs))
    options["style"] = paintings if len(paintings) > 1 else options["style"][0]
    if starts:
        starts = {name: load_transform_net(start) for name, start in starts.items()}
        options["start"] = starts if len(starts) > 1 else starts[names[0]]
    elif "start" in options:
        options["start"] = resolve(options["start"])
    nets = train_transform_net(**options)
    record = (nets if isinstance(nets, keras.Model) else next(iter(nets.values()))).record
    losses = ", ".join(f"{name} {value:.3f}" for name, value in record["losses"].items())
    say(f"{options['output']}: {record['steps']} steps; {losses}")
    return interrupts.code if record["steps"] < record["settings"]["steps"] else 0


def _check_networks(options, names, inputs):
    """Raise a clear error if a network that is to be written is one of the inputs, or could not be
    written.
    """
    from .._shared.files import check_output

    output, overwrite = Path(options["output"]), options.pop("overwrite", False)
    inputs = [*inputs, options.get("start"), options.get("weights")]
    for path in (
        [output]
        if len(names) == 1
        else [output / f"{name}.keras" for name in names]
        if output.is_dir()
        else []
    ):
        check_output(path, inputs, overwrite)
