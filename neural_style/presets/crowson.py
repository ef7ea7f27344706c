"""Settings of Katherine Crowson's program. They hold an optimizer, so they are loaded when asked
for."""

from typing import Any

import keras

#: ImageNet's standard deviation of a pixel, on the scale 0 to 1: the program's network divides by
#: it, and ours, on the scale 0 to 255, does not.
DEVIATION = 0.226

crowsonkb: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "max",
    "normalize": False,
    "padding": "replicate",
    "content_layers": ["relu4_2"],
    "style_layers": dict(
        zip(
            ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
            (weight / 341 for weight in (256, 64, 16, 4, 1)),
        )
    ),
    "statistic": "wasserstein",
    "scale": "mean",
    "content_weight": 0.015,
    "style_weight": 1.0,
    "tv_weight": 2 * DEVIATION**2,
    "tv_options": {"exponent": 1.0, "reduction": "mean", "separate": True, "diagonals": True},
    "init": "content",
    "size": 512,
    "start_size": None,
    "steps": {128: 1000, 181: 500, 256: 500, 362: 500, 512: 500},
    "coarse_weight": 1.0,
    "optimizer": keras.optimizers.Adam(0.02 * 255, beta_2=0.99, use_ema=True, ema_momentum=0.99),
    "bounds": True,
}
"""Crowson 2021, style-transfer-pytorch.

0.015 mean (F - P)^2 at relu4_2 + sum_l w_l W_l + 2 * 0.226^2 TV, w_l = 256:64:16:4:1 / 341 at
relu1_1 to relu5_1. W_l is |mu - mu'|^2 + tr(C + C' - 2 (C'^1/2 C C'^1/2)^1/2), over N_l, the
Wasserstein-2 distance of two normal distributions. TV is 2/3 mean d^2 of rows and of columns + 1/6
mean d^2 of both diagonals. By Adam with a step of 0.02 of the pixels' range, from the content
image, at sizes that grow by the square root of 2. Each size ends with the exponential average of
its iterates, by which the next begins. Departures: the program's features are those of pictures
from 0 to 1, divided by ImageNet's deviation, 0.226; ours are on the scale 0 to 255, where the same
sum is 57.6^2 times as much: TV, on that scale, gets the factor 0.226^2. Adam's moments begin anew
at each size. The program adds 1e-4 to the covariances' diagonals. For another `size`, give `steps`
of its own sizes.
"""
