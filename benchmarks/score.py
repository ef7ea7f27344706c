"""Judge a stylized picture by a network that no transfer optimizes: AlexNet with LPIPS' heads.

content  LPIPS v0.1 (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a
         Perceptual Metric") between the result and the photo; 0 = the same picture.
style    Mean over AlexNet's five ReLU layers of |G - A|_F / |A|_F, where G and A are the Gram
         matrices, divided by the number of positions, of the result and of the painting; 0 = the
         same style.

Both numbers are needed: the photo itself has the best content, and the painting itself has the best
style.
"""

import numpy as np
import tensorflow as tf

from neural_style import load_image
from neural_style.images.resize import resize
from neural_style.losses import gram_matrix
from neural_style.vgg.cache import cache_folder
from neural_style.vgg.download import lpips_checkpoint

#: The network takes (RGB - SHIFT) / SCALE, with RGB in [-1, 1].
SHIFT = np.array([-0.030, -0.088, -0.188], "float32")
SCALE = np.array([0.458, 0.448, 0.450], "float32")

#: The strides and paddings of AlexNet's five convolutions.
STRIDES, PADDINGS = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1)


class Score:
    """Scores results: score(photo, painting, result) gives (content, style).

    Args:
        width: Width in pixels to which all three pictures are scaled.
    """

    def __init__(self, width=512):
        self.width = width
        self.convolutions, self.heads = _alexnet()

    def __call__(self, photo, painting, result):
        photo, painting, result = (load_image(picture) for picture in (photo, painting, result))
        f, p, a = (
            self._features(resize(image, self._size(like)))
            for image, like in ((result, photo), (photo, photo), (painting, painting))
        )
        content = sum(
            float(tf.reduce_mean(tf.tensordot((_unit(u) - _unit(v)) ** 2, head, 1)))
            for u, v, head in zip(f, p, self.heads)
        )
        grams = ((gram_matrix(u), gram_matrix(v)) for u, v in zip(f, a))
        return content, float(np.mean([tf.norm(g - t) / tf.norm(t) for g, t in grams]))

    def _size(self, image):
        return self.width, max(1, round(self.width * image.shape[0] / image.shape[1]))

    def _features(self, image):
        x = ((np.asarray(image, "float32") / 127.5 - 1 - SHIFT) / SCALE)[None]
        features = []
        for layer, ((kernel, bias), stride, pad) in enumerate(
            zip(self.convolutions, STRIDES, PADDINGS)
        ):
            if layer in (1, 2):
                x = tf.nn.max_pool2d(x, 3, 2, "VALID")
            x = tf.nn.relu(
                tf.nn.conv2d(x, kernel, stride, [[0, 0], [pad, pad], [pad, pad], [0, 0]]) + bias
            )
            features.append(x)
        return features


def _unit(features):
    return features / (tf.norm(features, axis=-1, keepdims=True) + 1e-10)


def _alexnet():
    """Load AlexNet's five (kernel, bias) and LPIPS' five heads (C, 1); they are fetched once."""
    cached = cache_folder() / "lpips-alexnet.npz"
    if not cached.exists():
        checkpoint = lpips_checkpoint("alexnet")
        convolutions = next(
            value for name, value in checkpoint.items() if name.startswith("AlexNet")
        )
        arrays = {
            f"head{i}": checkpoint[f"NetLinLayer_{i}"]["Conv_0"]["kernel"][0, 0] for i in range(5)
        }
        for i in range(5):
            arrays[f"kernel{i}"], arrays[f"bias{i}"] = (
                convolutions[f"Conv_{i}"][part] for part in ("kernel", "bias")
            )
        np.savez(cached.with_suffix(".part.npz"), **arrays)
        cached.with_suffix(".part.npz").replace(cached)
    with np.load(cached) as arrays:
        return (
            [(arrays[f"kernel{i}"], arrays[f"bias{i}"]) for i in range(5)],
            [arrays[f"head{i}"] for i in range(5)],
        )
