"""One evaluation of loss and gradient in PyTorch, for benchmarks.speed."""

import numpy as np

from neural_style import preprocess
from neural_style.iterative.transfer import CONTENT_LAYERS, STYLE_LAYERS
from neural_style.vgg import vgg_weights
from neural_style.vgg.layers import check_layers


def torch_evaluator(torch, content_image, style_image):
    """Build the same network, losses and picture in PyTorch, as PyTorch programs write them."""
    functional = torch.nn.functional
    weights = {
        name: (torch.tensor(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))), torch.tensor(bias))
        for name, (kernel, bias) in vgg_weights("vgg16").layers.items()
    }
    content_names, style_names = (
        set(check_layers(names, "vgg16").values()) for names in (CONTENT_LAYERS, STYLE_LAYERS)
    )

    def extract(x):
        features = {}
        for name in weights:
            if name.endswith("conv1") and name != "block1_conv1":
                x = functional.avg_pool2d(x, 2)
            x = functional.relu(functional.conv2d(x, *weights[name], padding=1))
            features[name] = x
            if name == "block5_conv1":
                return features

    def gram(f):
        f = f.flatten(2)[0]
        return f @ f.T / f.shape[1]

    def load(image):
        return torch.tensor(preprocess(image).transpose(0, 3, 1, 2).copy())

    with torch.no_grad():
        content, style = extract(load(content_image)), extract(load(style_image))
        A = {name: gram(style[name]) for name in style_names}
        S = {
            name: max((A[name] ** 2).sum(), ((gram(content[name]) - A[name]) ** 2).sum())
            for name in style_names
        }
        P = {name: content[name] for name in content_names}

    def evaluate(flat):
        x = torch.tensor(
            flat.reshape(1, *content_image.shape).transpose(0, 3, 1, 2).astype("float32")
        ).requires_grad_()
        f = extract(x)
        loss = sum(((f[name] - p) ** 2).sum() / (p**2).sum() / len(P) for name, p in P.items())
        loss = loss + 50 * sum(
            ((gram(f[name]) - a) ** 2).sum() / S[name] / len(A) for name, a in A.items()
        )
        corner = x[:, :, :-1, :-1]
        loss = (
            loss
            + 1e-5
            * (((x[:, :, 1:, :-1] - corner) ** 2 + (x[:, :, :-1, 1:] - corner) ** 2) ** 1.25).mean()
        )
        loss.backward()
        return float(loss), x.grad.numpy().transpose(0, 2, 3, 1).astype("float64").ravel()

    return evaluate
