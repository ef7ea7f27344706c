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
    "scale": {"content": "mean", "style": "paper"},
    "content_weight": 1e-3 / 2,
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

alpha 1/2 mean (F - P)^2 at conv4_2 + beta sum_l 1/5 1/(4 N^2 M^2) sum (G - A)^2 at five layers,
from white noise, alpha / beta = 1e-3. Departures: equation 1 as printed is a sum, not a mean. With
the sum, and the ratios of the paper (1e-3 and 1e-4), content would make up 99 % of the loss. With
the mean, these ratios give the paper's pictures; and the authors' own code for the CVPR paper has
the mean, 1e6 mean (F - P)^2 + 1e9/5 sum_l mean ((G - A) / M)^2, which is alpha / beta = 5e-4 here.
The paper gives neither a picture size nor a number of steps, and it speaks of gradient descent. 512
pixels, 500 steps and L-BFGS come from that code.
"""

gatys_2016: dict[str, Any] = {**gatys_2015, "content_weight": 5e-4 / 2}
"""Gatys, Ecker and Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", CVPR.

The losses of gatys_2015 with alpha / beta = 5e-4, one of the ratios of figure 3 and that of the
authors' code (ExampleNotebooks of leongatys/NeuralImageSynthesis, normalized network). Minimized by
L-BFGS, as the paper recommends, at the size of its figures (512), from white noise. Departures: the
mean in the content loss, see gatys_2015. The paper does not give the number of steps; 500 is from
that code.
"""

gatys_pytorch: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "max",
    "normalize": False,
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
from that result with 800. The filters are as trained: the program's file is a copy of the Caffe
model's (its author in issue 1 of its repository), and the authors' notebooks of 2016 pair these
weights with that network, and other weights with the normalized one. Departures: `size` is the
longer side; 683 and 1067 give a 4:3 photo these shorter sides. A step may take more than one
evaluation. For the first stage alone, replace `size` and `steps`: {**presets.gatys_pytorch, "size":
683, "steps": 500}.
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
