"""Content feature structural distance: which parts of the picture are alike."""

import numpy as np
from keras import ops

from .vgg import features, max_pool

LAYER = "block3_conv1"

#: Rows of the table of similarities that are held at once.
BLOCK = 1024


def structure(photo: np.ndarray, painting: np.ndarray, result: np.ndarray) -> float:
    """CFSD (Chung, Hyun and Heo 2024, "Style Injection in Diffusion") on VGG16's relu3_1.

        sum_i KL(softmax_j <p_i, p_j> || softmax_j <f_i, f_j>)

    p and f are the features of photo and result, divided by their number of channels. Departure:
    VGG16 in place of VGG19. It grows with the number of positions, as in the published code. It
    sees whether what was alike is still alike, whatever it looks like now.
    """
    p, f = (_rows(features(image, (LAYER,), max_pool)[LAYER]) for image in (photo, result))
    return divergence(p, f)


def divergence(p: np.ndarray, f: np.ndarray) -> float:
    """sum_i KL(softmax_j <p_i, p_j> || softmax_j <f_i, f_j>), in blocks of rows.

    Args:
        p: n x C.
        f: n x C.
    """
    total = 0.0
    for i in range(0, len(p), BLOCK):
        log_p, log_f = (
            ops.log_softmax(ops.matmul(some[i : i + BLOCK], some.T), axis=-1) for some in (p, f)
        )
        total += float(ops.sum(ops.exp(log_p) * (log_p - log_f)))
    return total


def _rows(f) -> np.ndarray:
    """1 x h x w x C -> (h w) x C, divided by C."""
    return ops.convert_to_numpy(f).reshape(-1, f.shape[-1]) / f.shape[-1]
