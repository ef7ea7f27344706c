"""Settings of well-known programs. The notation is that of presets/__init__.py."""

from typing import Any

_CONV_1 = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
_RELU_1 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
_BLOCK_1 = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")
_BLOCK_LAST = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")

keras_example: dict[str, Any] = {
    "network": "vgg16",
    "pooling": "max",
    "normalize": False,
    "padding": "zeros",
    "content_layers": {"block2_conv2": 1.0},
    "style_layers": list(_BLOCK_LAST),
    "scale": "sum",
    "content_weight": 0.025,
    "style_weight": 5.0,
    "tv_weight": 1.0,
    "tv_options": {"exponent": 1.25, "reduction": "sum", "separate": False},
    "init": "noise",
    "size": 512,
    "start_size": None,
    "steps": 200,
    "optimizer": "scipy",
    "precision": "float32",
    "bounds": False,
}
"""The Keras program that most tutorials copy, with Johnson et al.'s choice of layers.

0.025 sum (F - P)^2 + sum_l 5/5 sum (G - A)^2 / (4 3^2 (H W)^2) + 1.0 sum (d_i^2 + d_j^2)^1.25,
H x W = 512 x 512, from uniform noise - 128. Departures: 10 restarts of 20 evaluations become 200
steps. No picture is squashed. Two errors of some copies are avoided: they subtract ImageNet's means
before they turn RGB to BGR, or their total variation slices [H - 1] where [:H - 1] is meant.
"""

chollet_dlwp: dict[str, Any] = {
    **keras_example,
    "network": "vgg19",
    "content_layers": {"block5_conv2": 1.0},
    "style_layers": list(_BLOCK_1),
    "style_weight": 1.0,
    "tv_weight": 1e-4,
    "init": "content",
    "size": 533,
    "steps": 400,
}
"""Chollet 2017, "Deep Learning with Python", section 8.3.

0.025 sum (F - P)^2 + sum_l 1/5 sum (G - A)^2 / (4 3^2 (H W)^2) + 1e-4 sum (d_i^2 + d_j^2)^1.25,
from the content image. Departures: the book sets the height, 400 pixels. Here `size` is the longer
side, 533, which gives a 4:3 photo that height. 20 restarts of 20 evaluations become 400 steps.
"""

vgg16_avgpool: dict[str, Any] = {
    "network": "vgg16",
    "pooling": "avg",
    "normalize": False,
    "padding": "zeros",
    "content_layers": {"block5_conv3": 1.0},
    "style_layers": dict(zip(_BLOCK_1, (0.2, 0.4, 0.3, 0.5, 0.2))),
    "scale": "mean",
    "content_weight": 1.0,
    "style_weight": 1.0,
    "tv_weight": 0,
    "init": "noise",
    "noise_std": 1.0,
    "size": 224,
    "start_size": None,
    "steps": 600,
    "optimizer": "scipy",
    "precision": "float32",
    "bounds": True,
}
"""A tutorial that gives VGG16 average pooling in place of max pooling.

It cuts the network after the 13th convolution: mean (F - P)^2 at the cut + sum_l w_l mean
((G - A) / (N M))^2, w = 0.2, 0.4, 0.3, 0.5, 0.2, from normal noise. Departures: 30 restarts of 20
evaluations become 600 steps. After each restart, the program clips its pixels to -127..127 around
the mean; here they stay within 0-255 all the time.
"""

johnson_neural_style: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "max",
    "normalize": False,
    "padding": "zeros",
    "content_layers": {"relu4_2": 1.0},
    "style_layers": dict.fromkeys(_RELU_1, 1.0),
    "scale": "mean",
    "content_weight": 5.0,
    "style_weight": 1e2,
    "tv_weight": 0.5e-3,
    "tv_options": {"exponent": 1.0, "reduction": "sum", "separate": False},
    "init": "noise",
    "noise_std": 0.001,
    "size": 512,
    "start_size": None,
    "steps": 1000,
    "optimizer": "scipy",
    "precision": "float32",
    "bounds": False,
}
"""Johnson 2015, neural-style for Torch.

5 mean (F - P)^2 + sum_l 100 mean ((G - A) / (N M))^2 + 1e-3 1/2 sum (d_i^2 + d_j^2), from normal
noise of 0.001. The program has no value for its total variation, only a gradient; the 1/2 gives
that gradient.
"""

anishathalye: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "max",
    "normalize": False,
    "padding": "zeros",
    "content_layers": {"relu4_2": 1.0},
    "style_layers": _RELU_1,
    "scale": "mean",
    "content_weight": 5.0,
    "style_weight": 500.0,
    "tv_weight": 100.0,
    "tv_options": {"exponent": 1.0, "reduction": "mean", "separate": True},
    "init": "noise",
    "noise_std": 0.256,
    "size": 512,
    "start_size": None,
    "steps": 1000,
    "optimizer": "adam",
    "precision": "float32",
    "learning_rate": 10.0,
    "bounds": False,
}
"""Athalye 2015, neural-style for TensorFlow.

5 mean (F - P)^2 at relu4_2 + sum_l 500/5 mean ((G - A) / (N M))^2 + 100 (mean d_i^2 + mean d_j^2),
by Adam with learning rate 10, from normal noise of 0.256. Departures: the program keeps the content
image's own size and gives the style image its width. Here both are 512 pixels. relu5_2, to which
the program gives a weight of 0, is left out.
"""

neural_style_tf: dict[str, Any] = {
    "network": "vgg19",
    "pooling": "avg",
    "normalize": False,
    "padding": "zeros",
    "content_layers": {"conv4_2": 1.0},
    "style_layers": _CONV_1,
    "scale": {"content": "sqrt", "style": "paper"},
    "content_weight": 5.0,
    "style_weight": 1e4 / 5,
    "tv_weight": 1e-3,
    "tv_options": {"exponent": 0.5, "reduction": "sum", "separate": True},
    "init": "content",
    "size": 512,
    "start_size": None,
    "steps": 1000,
    "optimizer": "scipy",
    "precision": "float32",
    "bounds": False,
}
"""Smith 2016, neural-style-tf.

5 sum (F - P)^2 / (2 sqrt(N M)) + 1e4 1/5 sum_l 1/5 1/(4 N^2 M^2) sum (G - A)^2
+ 1e-3 sum (|d_i| + |d_j|), from the content image. The program gives each of five layers 1/5, and
divides their sum by five once more. Departure: the program takes conv4_2 before bias and ReLU; this
preset takes it after them, as the paper does.
"""
