"""neural-style-pt's settings, transcribed for PyTorch: the peer of benchmarks.gpu.

ProGamerGov 2017, github.com/ProGamerGov/neural-style-pt: max pooling; content 5 mean (F - P)^2 at
relu4_2; style 100 mean (G - A)^2 with G = F F^T / (N M) at relu1_1 to relu5_1; total variation
1e-3 (sum |d_x| + sum |d_y|); from normal noise of 0.001; L-BFGS of PyTorch, 100 corrections, no
line search, 500 evaluations. Here with VGG16, as no package carries VGG19's weights.
"""

import time

import numpy as np

from neural_style import deprocess, preprocess
from neural_style.vgg import vgg_weights

CONTENT_LAYER = "block4_conv2"
STYLE_LAYERS = tuple(f"block{number}_conv1" for number in range(1, 6))


def torch_peer(content_image, style_image, evaluations=500, every=25):
    """[(seconds, evaluations, picture)] on the way, uint8 RGB; the last one is the result."""
    import torch

    functional = torch.nn.functional
    device = "cuda" if torch.cuda.is_available() else "cpu"
    weights = {
        name: [
            torch.tensor(np.ascontiguousarray(array), device=device)
            for array in (kernel.transpose(3, 2, 0, 1), bias)
        ]
        for name, (kernel, bias) in vgg_weights("vgg16").layers.items()
    }

    def features(x):
        found = {}
        for name, (kernel, bias) in weights.items():
            if name.endswith("conv1") and name != "block1_conv1":
                x = functional.max_pool2d(x, 2)
            x = functional.relu(functional.conv2d(x, kernel, bias, padding=1))
            found[name] = x
            if name == STYLE_LAYERS[-1]:
                return found

    def gram(f):
        flat = f.flatten(2)[0]
        return flat @ flat.T / f.numel()

    def load(image):
        x = preprocess(image).transpose(0, 3, 1, 2)
        return torch.tensor(np.ascontiguousarray(x), device=device)

    with torch.no_grad():
        P = features(load(content_image))[CONTENT_LAYER]
        style = features(load(style_image))
        A = {name: gram(style[name]) for name in STYLE_LAYERS}
    generator = torch.Generator().manual_seed(0)
    x = 0.001 * torch.randn((1, 3, *content_image.shape[:2]), generator=generator)
    x = x.to(device).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [x], max_iter=evaluations, max_eval=evaluations, history_size=100,
        tolerance_grad=-1, tolerance_change=-1,
    )  # fmt: skip
    shape, started, seen = (1, *content_image.shape), time.perf_counter(), []

    def picture():
        return deprocess(x.detach().cpu().numpy().transpose(0, 2, 3, 1), shape)

    done = 0

    def evaluate():
        nonlocal done
        if done % every == 0:
            seen.append((time.perf_counter() - started, done, picture()))
        done += 1
        optimizer.zero_grad()
        f = features(x)
        loss = 5 * functional.mse_loss(f[CONTENT_LAYER], P)
        loss = loss + 100 * sum(functional.mse_loss(gram(f[name]), a) for name, a in A.items())
        rough = (x[..., 1:, :] - x[..., :-1, :]).abs().sum() + (
            x[..., 1:] - x[..., :-1]
        ).abs().sum()
        loss = loss + 1e-3 * rough
        loss.backward()
        return loss

    optimizer.step(evaluate)
    seen.append((time.perf_counter() - started, done, picture()))
    return seen
