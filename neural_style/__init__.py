"""Neural style transfer for Keras: Gatys, Ecker and Bethge's paper as a library.

    from neural_style import transfer
    transfer("photo.jpg", "painting.jpg").save("out.png")

The names below are loaded when first used, so that `import neural_style` and the command line's
--help take no time.
"""

import importlib

__version__ = "0.1.0"

_MODULES = {
    "images": ("load_image", "save_image", "preprocess", "deprocess"),
    "features": ("feature_extractor",),
    "statistics": ("gram_matrix",),
    "losses": (
        "Loss",
        "content_loss",
        "style_loss",
        "style_statistics",
        "total_variation_loss",
        "weighted_sum",
    ),
    "evaluator": ("Evaluator",),
    "color": ("match_color", "match_histogram", "match_luminance", "transfer_luminance"),
    "weights": ("load_weights",),
    "optimizers": ("gradient_descent", "lbfgs"),
    "plotting": ("compare", "contact_sheet"),
    "matting": (
        "composite",
        "cut_out",
        "estimate_alpha",
        "estimate_foreground",
        "trimap_from_mask",
    ),
    "photorealism": ("guided_filter", "locally_affine", "matting_laplacian", "photorealism_loss"),
    "presets": ("presets",),
    "masks": ("masks",),
    "parallel": ("map_transfer", "sweep"),
    "callbacks": ("IntermediateResult", "LivePreview", "SaveEvery", "StopWhen", "TimeLimit"),
    "checkpoint": ("Checkpoint",),
    "record": ("arguments_of", "read_record"),
    "result": ("TransferResult",),
    "transform_net": (
        "TransformNet",
        "blend",
        "build_transform_net",
        "load_transform_net",
        "pretrained",
        "save_transform_net",
    ),
    "photos": ("Photos",),
    "training": ("Preview", "StyleTrainer", "train_transform_net"),
    "stylization": ("stylize",),
    "video": ("read_frames", "video_info", "write_video"),
    "flow": ("optical_flow", "reliable", "warp", "warping_error"),
    "film": ("stylize_video",),
    "camera": ("stylize_camera",),
    "iterative": ("transfer",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'neural_style' has no attribute {name!r}")
    module = importlib.import_module(f"neural_style.{_HOME[name]}")
    return module if name == _HOME[name] else getattr(module, name)


def __dir__():
    return [*globals(), *__all__]
