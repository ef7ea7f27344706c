"""Settings of programs that match places. They hold terms, so they are loaded when asked for."""

from typing import Any

from ..iterative.neighbors import Neighbors
from ..iterative.strotss import RelaxedTransport

nnst: dict[str, Any] = {
    "network": "vgg16",
    "pooling": "max",
    "normalize": False,
    "padding": "zeros",
    "content_weight": 0.0,
    "style_weight": 0.0,
    "tv_weight": 0.0,
    "terms": [Neighbors(own=0.25, rotations=True, split=True, sampling="bilinear", border=0)],
    "init": "content",
    "size": 512,
    "start_size": None,
    "steps": [(64, 60), (128, 60), (256, 60), (512, 60), (512, 60)],
    "optimizer": "lbfgs",
    "bounds": True,
}
"""Kolkin et al. 2022, "Neural Neighbor Style Transfer", and the authors' code.

mean_i (1 - cos(h_i, t_i)): h_i is the hypercolumn at position i of conv1_1 to conv4_3, each layer
bilinear at a quarter of the size and divided by its number of channels. t_i is that hypercolumn of
the painting, turned by 0, 90, 180 or 270 degrees, which is nearest by centered cosine to the
hypercolumn i of 0.25 (result so far with the content's finest details) + 0.75 content; of the
content alone at 64 pixels. The last stage matches and compares each of the ten layers by itself.
Departures: 200 steps of Adam on the levels of a Laplacian pyramid become 60 of L-BFGS on pixels.
The last stage finds its targets once, on the grid of the hypercolumns, in place of 200 times at
random positions; its distance is not centered, and it is the mean over the layers, not their sum.
(The code compares conv4's layers with conv3_3 there at 512 pixels, by an oversight.) For the
code's color step at the end, see images.match_palette.
"""

strotss: dict[str, Any] = {
    "network": "vgg16",
    "pooling": "max",
    "normalize": False,
    "padding": "zeros",
    "content_weight": 0.0,
    "style_weight": 0.0,
    "tv_weight": 0.0,
    "terms": [RelaxedTransport()],
    "init": "content",
    "size": 512,
    "start_size": None,
    "steps": {64: 60, 128: 60, 256: 60, 512: 60},
    "optimizer": "lbfgs",
    "bounds": True,
}
"""Kolkin, Salavon and Shakhnarovich 2019, "Style Transfer by Relaxed Optimal Transport".

(alpha l_C + l_m + l_r + l_p / alpha) / (2 + alpha + 1 / alpha), alpha = 16, 8, 4, 2 at 64, 128, 256
and 512 pixels. The columns are the pixels and nine layers of VGG16, side by side.
l_r = max(mean_i min_j C_ij, mean_j min_i C_ij), C their cosine distances to the painting's.
l_m = 1/d |mu - mu_s|_1 + 1/d^2 |Sigma - Sigma_s|_1. l_p: l_r of colors in Y' C_B C_R with
Euclidean distances. l_C = n mean |D_ij / sum_i D_ij - D^C_ij / sum_i D^C_ij|, D the cosine
distances between positions of the picture, D^C between those of the content.
Departures: at each step, the program draws about 1,024 positions anew. Here they are the cells of
a grid that stays, at most 1,024 of them, each with the mean of its features: then L-BFGS can
minimize it, on pixels, where the program takes 200 steps of RMSprop on the levels of a Laplacian
pyramid. It starts from the content, not from its finest details on the painting's mean color. The
pixels are BGR minus their mean, and all columns are divided by 57.4, ImageNet's deviation.
"""
