"""Settings of the papers. The notation is that of presets/__init__.py."""

from typing import Any

from .programs import johnson_neural_style

_CONV_1 = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
_RELU_1 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

gatys_2015: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "avg",
    "normalize": True,
    "content_layers": ["conv4_2"],
    "style_layers": _CONV_1,
    "scale": "paper",
    "content_weight": 5e-7,
    "style_weight": 1.0,
    "tv_weight": 0,
    "init": "noise",
    "size": 512,
    "start_size": None,
    "steps": 500,
    "optimizer": "lbfgs",
    "bounds": False,
}
"""Gatys, Ecker and Bethge 2015, "A Neural Algorithm of Artistic Style", arXiv 1508.06576.

alpha 1/2 sum (F - P)^2 at conv4_2 + beta sum_l 1/5 1/(4 N^2 M^2) sum (G - A)^2 at five layers, from
white noise. Departures: the paper gives alpha / beta as 1e-3 or 1e-4. Such a ratio cannot belong to
these equations and this network: content would make up 98 % of the loss at the start, and the
result would be a content reconstruction. 5e-7 gives the balance of the paper's figures at 512
pixels. (A sum grows with the picture: at another size, multiply by (512 / size)^2.) The paper gives
neither a picture size nor a number of steps, and it speaks of gradient descent. 512 pixels, 500
steps and L-BFGS come from the authors' later work.
"""

gatys_2016: dict[str, Any] = dict(gatys_2015)
"""Gatys, Ecker and Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", CVPR.

The losses of gatys_2015, minimized by L-BFGS as the paper recommends, at the size of its figures
(512). Departures: the paper gives alpha / beta as 1e-3 for most figures and 1e-4 to 1e-1 in figure
4. Here it is 5e-7, as for gatys_2015. The paper does not give the number of steps.
"""

gatys_pytorch: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "max",
    "normalize": True,
    "content_layers": {"relu4_2": 1.0},
    "style_layers": dict.fromkeys(_RELU_1, 1.0),
    "scale": "mean",
    "content_weight": 1.0,
    "style_weight": 1e3,
    "tv_weight": 0,
    "init": "content",
    "size": 1067,
    "start_size": None,
    "steps": {683: 500, 1067: 200},
    "coarse_weight": 1.0,
    "optimizer": "lbfgs",
    "bounds": False,
}
"""Gatys's own later program, PytorchNeuralStyleTransfer: the same method with weights that fit it.

mean (F - P)^2 at relu4_2 + sum_l 1e3 / N^2 mean ((G - A) / M)^2 at five layers, from the content
image, in two stages: 500 evaluations with a shorter side of 512 pixels, then 200 of the same losses
from that result with 800. Departures: `size` is the longer side; 683 and 1067 give a 4:3 photo
these shorter sides. A step may take more than one evaluation. For the first stage alone, replace
`size` and `steps`: {**presets.gatys_pytorch, "size": 683, "steps": 500}.
"""

deep_photo: dict[str, Any] = {
    **johnson_neural_style,
    "noise_std": 1e-4,
    "size": 700,
    "steps": 1000,
    "photorealism_weight": [0, 1e4],
}
"""Luan, Paris, Shechtman and Bala 2017, "Deep Photo Style Transfer", CVPR.

Give the regions of the photo and of the reference with masks=. The losses are those of
johnson_neural_style, and each region's style has its own Gram matrices. There are two stages of
1,000 steps: from noise without the Laplacian, then from that result with it,
+ 1e4 sum_c V_c^T L V_c, V on the scale 0 to 1. Departures: regions are weighted by their share of
the picture. The program smooths its result at the end; call guided_filter if you want that.
"""
