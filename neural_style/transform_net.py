"""The feed-forward network of fast style transfer: a photo in, the painted photo out, in one pass.

Johnson, Alahi and Fei-Fei 2016, "Perceptual Losses for Real-Time Style Transfer and
Super-Resolution", and its supplement for the layers, with the instance normalisation of Ulyanov,
Vedaldi and Lempitsky 2017, "Improved Texture Networks". Training is in training.py, use in
stylization.py.
"""

import io
import json
import math
import os
import tempfile
import zipfile
from importlib.resources import as_file, files
from pathlib import Path

import h5py  # comes with Keras
import keras
import numpy as np
from keras import layers, ops

from .checks import choice, count, is_finite
from .features import PRECISIONS
from .files import check_output, is_regular, whole_or_not
from .hdf5 import plain_datasets

#: The least height and width that the network's reflections at a quarter of the size allow.
LEAST_SIDE = 16


#: Factor of the last layer's first weights: with more, its tanh starts saturated, and the network
#: learns to paint one flat colour and stays.
LAST = 0.1


#: Of instance normalisation. On a flat crop, each normalisation multiplies the gradient by
#: epsilon^(-1/2): with the usual 1e-5 fifteen of them leave float32's range.
EPSILON = 1e-3

#: The widest and the deepest network, the most numbers in its weights, and bytes of its
#: configuration: a file with more is no network of ours.
MOST_WIDTH, MOST_BLOCKS, MOST_NUMBERS, MOST_CONFIG = 128, 32, 1 << 25, 1 << 20
#: Bytes that HDF5 takes beside the numbers themselves, of a network of the deepest kind.
MOST_OVERHEAD = 1 << 20


@keras.saving.register_keras_serializable("neural_style")
class ReflectionPadding2D(layers.Layer):
    """Mirror the picture at its border, so many pixels wide, the border itself not repeated: no
    dark rim as with zeros.
    """

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, x):
        return ops.pad(
            x,
            [[0, 0], [self.padding, self.padding], [self.padding, self.padding], [0, 0]],
            mode="reflect",
        )

    def compute_output_shape(self, shape):
        return (shape[0], *(side and side + 2 * self.padding for side in shape[1:3]), shape[3])

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable("neural_style")
class CropToMatch(layers.Layer):
    """(x, like) -> x cut to the height and width of `like`: sizes that are no multiple of 4 come
    out of the upsampling larger.
    """

    def call(self, pair):
        x, like = pair
        return x[:, : ops.shape(like)[1], : ops.shape(like)[2]]

    def compute_output_shape(self, shapes):
        return (*shapes[1][:3], shapes[0][3])


class ConditionalInstanceNormalization(layers.Layer):
    """(x, shares) -> x normalised, then scaled and moved as the styles do in their shares: Dumoulin
    et al. 2017, equation 5.

        z = gamma (x - mean) / std + beta,   gamma = sum_s share_s gamma_s,   beta = sum_s share_s beta_s

    x: B x H x W x C, shares: B x styles.
    """

    def __init__(self, styles, gamma_initializer="ones", **kwargs):
        super().__init__(**kwargs)
        self.styles, self.gamma_initializer = styles, gamma_initializer
        self.normalize = layers.GroupNormalization(
            groups=-1, epsilon=EPSILON, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, shapes):
        x, _ = shapes
        self.gamma = self.add_weight((self.styles, x[-1]), self.gamma_initializer, name="gamma")
        self.beta = self.add_weight((self.styles, x[-1]), "zeros", name="beta")
        self.normalize.build(x)

    def call(self, pair):
        x, shares = pair
        gamma, beta = (
            ops.matmul(shares, ops.cast(of_styles, shares.dtype))[:, None, None]
            for of_styles in (self.gamma, self.beta)
        )
        return self.normalize(x) * gamma + beta

    def compute_output_shape(self, shapes):
        return shapes[0]


@keras.saving.register_keras_serializable("neural_style")
class TransformNet(keras.Model):
    """RGB, B x H x W x 3, 0 to 255, to the same, painted; made by build_transform_net.

    width, residual_blocks, precision: as given there. record: a dict of what the network was
    trained on and how; it is part of the saved file.
    """

    def __init__(
        self,
        width,
        residual_blocks,
        precision="float32",
        record=None,
        name="transform_net",
        **kwargs,
    ):
        inputs, outputs = _graph(width, residual_blocks, PRECISIONS[precision])
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.width, self.residual_blocks, self.precision, self.record = (
            width,
            residual_blocks,
            precision,
            dict(record or {}),
        )

    def get_config(self):
        return {
            "width": self.width,
            "residual_blocks": self.residual_blocks,
            "precision": self.precision,
            "record": dict(self.record),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def build_transform_net(width=32, residual_blocks=5, *, precision="float32", record=None, seed=0):
    """The network of Johnson et al.'s supplement, table 1, untrained.

        9 x 9 convolution, `width` filters        3 x 3 with stride 2, 2 `width`        3 x 3 with stride 2, 4 `width`
        residual blocks: 3 x 3, 3 x 3, the input added, 4 `width`
        upsampling, 3 x 3, 2 `width`              upsampling, 3 x 3, `width`             9 x 9, 3 filters, tanh scaled to 0-255

    Departures, each for the picture's sake: instance normalisation in place of batch normalisation;
    reflections at the border of every convolution in place of 40 pixels at the start; upsampling to
    nearest neighbours and a convolution in place of transposed convolutions, whose overlaps leave a
    checkerboard (Odena et al. 2016). Any height and width from 16.

    Args:
        width: filters of the first layer, at most 128: 32 in the paper; 16 needs a quarter of the
            operations.
        residual_blocks: 5 in the paper, at most 32.
        precision: "float32", or "bfloat16" for the convolutions.
        record: dict, kept in the saved file. seed: of the initial weights.

    Returns:
        A keras.Model, RGB 0-255, B x H x W x 3 -> float32 RGB 0-255, B x H x W x 3.
    """
    width, residual_blocks = check_scale(width, residual_blocks)
    choice("precision", precision, PRECISIONS)
    net = TransformNet(width, residual_blocks, precision, record)
    rng = np.random.default_rng(count("seed", seed, 0))
    weights = [_glorot(w.shape, rng) if w.ndim == 4 else w for w in net.get_weights()]
    weights[-2] *= LAST  # the last kernel
    net.set_weights(weights)
    return net


def check_scale(width, residual_blocks):
    """(width, residual_blocks) as ints, or a ValueError: no network of them is read again."""
    width, residual_blocks = (
        count("width", width, most=MOST_WIDTH),
        count("residual_blocks", residual_blocks, 0, MOST_BLOCKS),
    )
    if numbers_in(width, residual_blocks) > MOST_NUMBERS:
        raise ValueError(
            f"width and residual_blocks must make a network of at most {MOST_NUMBERS:,} numbers."
            f" Received: width={width}, residual_blocks={residual_blocks},"
            f" {numbers_in(width, residual_blocks):,} numbers"
        )
    return width, residual_blocks


def numbers_in(width, residual_blocks):
    """How many numbers the weights of a network have."""
    chain = [
        (9, 3, width),
        (3, width, 2 * width),
        (3, 2 * width, 4 * width),
        *[(3, 4 * width, 4 * width)] * (2 * residual_blocks),
        (3, 4 * width, 2 * width),
        (3, 2 * width, width),
        (9, width, 3),
    ]  # kernel, channels in, channels out
    return (
        sum(kernel**2 * before * after + 3 * after for kernel, before, after in chain) - 2 * 3
    )  # the last has no normalization


def _glorot(shape, rng):
    """A kernel of Glorot and Bengio 2010, equation 16; NumPy's, so that every backend of Keras
    starts from the same.
    """
    limit = np.sqrt(6 / (shape[0] * shape[1] * (shape[2] + shape[3])))
    return rng.uniform(-limit, limit, shape).astype("float32")


def load_transform_net(path, precision="float32"):
    """A network from its .keras file.

    The file may be a stranger's. Its configuration gives the numbers from which this module builds
    the network, and its weights are read as plain arrays of the shapes that this network has.
    Keras' own loader, which makes whatever objects a file names, never sees it.

    Raises:
        FileNotFoundError, ValueError: no such file, or one that is no transform network; an unknown
            precision.
    """
    choice("precision", precision, PRECISIONS)
    path = _network_path(path)
    if not is_regular(path):
        raise FileNotFoundError(f"no network at {str(path)!r}")
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            config = _read_config(archive)
            least = 4 * numbers_in(config["width"], config["residual_blocks"])
            weights = io.BytesIO(_member(archive, "model.weights.h5", least + MOST_OVERHEAD, least))
            net = build_transform_net(
                config["width"],
                config["residual_blocks"],
                precision=precision,
                record=config["record"],
            )
            net.set_weights(_read_weights(weights, net))
    except Exception as error:  # zipfile, zlib, json and h5py each have their own
        raise ValueError(
            f"{str(path)!r} is not a .keras file of a transform network:"
            f" {' '.join(str(error).split())}"
        ) from error
    return net


def _read_config(archive):
    """{"width", "residual_blocks", "precision", "record"} of the file, each of its type."""
    text = _member(archive, "config.json", MOST_CONFIG)
    config = json.loads(text)
    if (
        not isinstance(config, dict)
        or config.get("class_name") != "TransformNet"
        or config.get("registered_name") != "neural_style>TransformNet"
    ):
        kind = str(config.get("class_name") if isinstance(config, dict) else type(config).__name__)
        raise ValueError(
            "it must hold a transform network. Received: a"
            f" {kind if kind.isidentifier() else 'class of no name':.40}"
        )
    config = config.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("record"), dict):
        raise ValueError("its configuration has no record")
    check_scale(config.get("width"), config.get("residual_blocks"))
    choice("precision", config.get("precision"), PRECISIONS)
    return config


def _read_weights(weights, net):
    """The weights in an open HDF5 file as a list of arrays, as net.set_weights takes them."""
    found, known = [], {}
    with h5py.File(weights) as file:
        datasets = plain_datasets(file)
        for layer in net.layers:
            if layer.weights:
                kind = {"Conv2D": "conv2d", "GroupNormalization": "group_normalization"}[
                    type(layer).__name__
                ]
                number = known[kind] = known.get(kind, -1) + 1
                group = f"layers/{kind}_{number}" if number else f"layers/{kind}"
                found += [
                    _floats(datasets, f"{group}/vars/{i}", w.shape)
                    for i, w in enumerate(layer.weights)
                ]
    if not all(np.isfinite(w).all() for w in found):
        raise ValueError("its weights are not finite")
    return found


def _member(archive, name, most, least=0):
    """The bytes of a file in the archive, if they are as many as they can be."""
    info = archive.getinfo(name)
    if not least <= info.file_size <= most:
        raise ValueError(
            f"its {name} has {info.file_size:,} bytes, and {least:,} to {most:,} were expected"
        )
    if info.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):  # others take memory as the file says
        raise ValueError(f"its {name} is neither stored nor deflated")
    with archive.open(info) as file:  # it gives no more than file_size
        return file.read()


def _floats(datasets, path, shape):
    if (
        path not in datasets
        or datasets[path].dtype.kind != "f"
        or datasets[path].shape != tuple(shape)
    ):
        raise ValueError(f"its {path} must be floats of the shape {tuple(shape)}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is refused
        return np.asarray(datasets[path][()], "float32")


def _network_path(path):
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"a network's file must be given by its path. Received: {type(path).__name__}"
        )
    if Path(path).suffix != ".keras":
        raise ValueError(
            f"the name of a network's file must end in .keras. Received: {str(path)!r}"
        )
    return Path(path)


def save_transform_net(net, path, compact=False):
    """Write the network and its record to a .keras file, whole or not at all.

    compact: weights rounded to float16's 11 significant bits, and the file deflated: half the size,
    and no grey level moves by more than one.
    """
    check_network_path(path)
    if compact or net.compiled:  # an optimizer's state is no part of the file
        net = _with_weights(net, [_to_11_bits(w) if compact else w for w in net.get_weights()])
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=Path(path).parent) as folder:
        whole = Path(folder, "net.keras")
        keras.saving.save_model(net, whole)
        with (
            whole_or_not(path) as file,
            zipfile.ZipFile(whole) as stored,
            zipfile.ZipFile(
                file, "w", zipfile.ZIP_DEFLATED if compact else zipfile.ZIP_STORED
            ) as archive,
        ):
            for name in stored.namelist():
                archive.writestr(zipfile.ZipInfo(name), stored.read(name), archive.compression)


def _to_11_bits(weights):
    """Rounded to 11 significant bits, as float32: the others are zeros, which deflate away."""
    mantissa, exponent = np.frexp(weights)
    return np.ldexp(np.rint(mantissa * 2**11) / 2**11, exponent).astype("float32")


def check_network_path(path, inputs=(), overwrite=False):
    """Raise a clear error if no network could be written to `path`: called before hours of
    training, not after.
    """
    check_output(_network_path(path), inputs, overwrite)


def pretrained(style=None, precision="float32"):
    """The network that comes with the package for a style; without a name, the names there are."""
    folder = files("neural_style") / "pretrained"
    names = sorted(
        file.name.removesuffix(".keras")
        for file in (folder.iterdir() if folder.is_dir() else ())
        if file.name.endswith(".keras")
    )
    if style is None:
        return names
    if style not in names:
        raise ValueError(f"style must be one of {names}. Received: style={style!r}")
    with as_file(folder / f"{style}.keras") as path:
        return load_transform_net(path, precision)


def parts(net):
    """(encoder, trunk, decoder) of a network: the layers down to a quarter of the size and those up
    from there, each a chain, and what lies between as a keras.Model."""
    convolutions = [layer for layer in net.layers if isinstance(layer, layers.Conv2D)]
    first, last = (
        net.layers.index(convolutions[2]),
        next(i for i, layer in enumerate(net.layers) if isinstance(layer, layers.UpSampling2D)),
    )
    return (
        net.layers[1 : first + 1],
        keras.Model(net.layers[first].output, net.layers[last].input),
        net.layers[last:-1],
    )


def blend(nets):
    """A network between others: its weights are the weighted mean of theirs.

    Networks that were trained together differ in the scales and offsets of their normalisations
    alone, and a mean of these is a style between (Dumoulin et al. 2017, section 3.2). Those that
    were fine-tuned from one another lie in one valley of the loss, and it works for them too (Wang
    et al. 2019, "Deep Network Interpolation for Continuous Imagery Effect Transition"): the
    pretrained ones were first trained together and then each by itself. Two that were trained apart
    from the start blend to nothing.

    Args:
        nets: [(network, share)], of one width and depth; the shares are brought to the sum 1.
    """
    if not nets or not all(is_finite(share) and share >= 0 for _, share in nets):
        raise ValueError(
            f"shares must be finite numbers, at least 0. Received: {[share for _, share in nets]}"
        )
    nets = [(net, float(share)) for net, share in nets]
    total = sum(share for _, share in nets)
    if not 0 < total < math.inf:
        raise ValueError(
            "shares must have one above 0, and a finite sum. Received:"
            f" {[share for _, share in nets]}"
        )
    shapes = [[w.shape for w in net.weights] for net, _ in nets]
    if any(other != shapes[0] for other in shapes):
        raise ValueError(
            "networks to blend must have one width and depth. Received: "
            f"{[(net.width, net.residual_blocks) for net, _ in nets]}"
        )
    mean = [
        sum(share / total * w for w, (_, share) in zip(ws, nets))
        for ws in zip(*(net.get_weights() for net, _ in nets))
    ]
    record = {"blend": [[net.record, share / total] for net, share in nets]}
    return _with_weights(nets[0][0], mean, record=record)


def join(nets):
    """One network of several that differ in nothing but their instance normalisations (Dumoulin,
    Shlens and Kudlur 2017, "A Learned Representation for Artistic Style"), to train them together.

    Returns:
        A keras.Model: (RGB 0-255, B x H x W x 3, shares of the styles, B x number of nets) -> RGB
        0-255, B x H x W x 3.

    Raises:
        ValueError: networks of several widths or depths, or whose convolutions differ.
    """
    first = nets[0]
    if any(
        (net.width, net.residual_blocks) != (first.width, first.residual_blocks) for net in nets
    ):
        raise ValueError(
            "networks to train together must have one width and depth. Received: "
            f"{[(net.width, net.residual_blocks) for net in nets]}"
        )
    joint = keras.Model(
        *_graph(first.width, first.residual_blocks, PRECISIONS[first.precision], len(nets))
    )
    weights = []
    for variable, *of_nets in zip(joint.weights, *(net.get_weights() for net in nets), strict=True):
        if variable.name in ("gamma", "beta"):
            weights.append(np.stack(of_nets))
        elif all(np.array_equal(of_nets[0], other) for other in of_nets[1:]):
            weights.append(of_nets[0])
        else:
            raise ValueError(
                "networks to train together must have the same convolutions, as those that were"
                f" trained together have. Received: different values of {variable.path}"
            )
    joint.set_weights(weights)
    return joint


def separate(joint, net, number):
    """`net`, given the weights of the style of this number from a network that join made."""
    net.set_weights(
        [
            ops.convert_to_numpy(w[number] if w.name in ("gamma", "beta") else w)
            for w in joint.weights
        ]
    )
    return net


def _with_weights(net, weights, **changes):
    changed = TransformNet(**{**net.get_config(), **changes})
    changed.set_weights(weights)
    return changed


def _graph(width, residual_blocks, dtype, styles=None):
    """(input, output) of the network; of one for several styles, the inputs are the picture and the
    shares.
    """

    def convolve(x, filters, kernel, stride=1):
        x = ReflectionPadding2D(kernel // 2, dtype=dtype)(x)
        return layers.Conv2D(filters, kernel, stride, dtype=dtype, data_format="channels_last")(x)

    def normalized(x, **options):
        if styles is None:
            return layers.GroupNormalization(groups=-1, epsilon=EPSILON, dtype=dtype, **options)(x)
        return ConditionalInstanceNormalization(styles, dtype=dtype, **options)([x, shares])

    def block(x, filters, kernel, stride=1):
        return layers.ReLU(dtype=dtype)(normalized(convolve(x, filters, kernel, stride)))

    inputs = keras.Input((None, None, 3), name="image", dtype="float32")
    shares = styles and keras.Input((styles,), name="shares", dtype="float32")
    x = layers.Rescaling(1 / 127.5, -1, dtype=dtype)(inputs)
    x = block(x, width, 9)
    x = block(x, 2 * width, 3, stride=2)
    x = block(x, 4 * width, 3, stride=2)
    for _ in range(residual_blocks):
        change = convolve(block(x, 4 * width, 3), 4 * width, 3)
        x = layers.Add(dtype=dtype)(
            [x, normalized(change, gamma_initializer="zeros")]
        )  # at first, no change: it learns sooner
    for filters in (2 * width, width):
        x = block(
            layers.UpSampling2D(2, "channels_last", interpolation="nearest", dtype=dtype)(x),
            filters,
            3,
        )
    x = layers.Activation("tanh", dtype="float32")(convolve(x, 3, 9))
    x = layers.Rescaling(127.5, 127.5, dtype="float32")(x)
    return inputs if styles is None else [inputs, shares], CropToMatch(dtype="float32")([x, inputs])
