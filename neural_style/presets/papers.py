"""Settings of the papers. The notation is that of presets/__init__.py."""

from typing import Any

from .programs import _CONV_1, _RELU_1, johnson_neural_style

gatys_2015: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "avg",
    "normalize": False,
    "padding": "zeros",
    "content_layers": ["conv4_2"],
    "style_layers": _CONV_1,
    "scale": {"content": "mean", "style": "paper"},
    "content_weight": 5.0 / 2,
    "style_weight": 1.0,
    "tv_weight": 0,
    "init": "noise",
    "noise_std": 1.0,
    "size": 512,
    "start_size": None,
    "steps": 500,
    "optimizer": "scipy",
    "precision": "float32",
    "bounds": False,
}
"""Gatys, Ecker and Bethge 2015, "A Neural Algorithm of Artistic Style", arXiv 1508.06576.

alpha 1/2 mean (F - P)^2 at conv4_2 + beta sum_l 1/5 1/(4 N^2 M^2) sum (G - A)^2 at five layers,
from white noise, in the network as trained, alpha / beta = 5. Departures: equation 1 as printed is
a sum; the mean, 1 / (N M) of it, weighs the same at every size, and the authors' code has it. The
paper gives alpha / beta as 1e-3 or 1e-4, which for a sum at 512 x 384 pixels is 1,600 or 160 for
the mean. At 160 the photo keeps all its lines and takes short strokes, without the painting's large
swirls; 5 brings these, as in the paper's figures. The paper gives neither a picture size nor a
number of steps, and it speaks of gradient descent. 512 pixels, 500 steps, L-BFGS and noise of
standard deviation 1 come from the authors' later code.
"""

gatys_2016: dict[str, Any] = {
    **gatys_2015,
    "normalize": True,
    "padding": "zeros",
    "content_weight": 5e-4 / 2,
    "init": "content",
    "noise_std": None,
}
"""Gatys, Ecker and Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", CVPR.

The losses of gatys_2015 in the normalized network, alpha / beta = 5e-4, by L-BFGS, as the authors'
code for this paper has them (ExampleNotebooks of leongatys/NeuralImageSynthesis): 1e6 mean
(F - P)^2 + 1e9/5 sum_l mean ((G - A) / M)^2 from the content image, 500 evaluations. The ratio is
one of figure 3. Departures: the paper's figures start from white noise, and the code from the
content image, as here. From noise, the normalized network leaves grain and meets the style in a few
patches, because filters that hardly fire on photos are magnified up to twentyfold; the network as
trained does not. gatys_2015 is the preset for noise.
"""

gatys_pytorch: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "max",
    "normalize": False,
    "padding": "zeros",
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
    "optimizer": "scipy",
    "precision": "float32",
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
