"""The feature network: VGG16 and VGG19, with their weights, layers and input."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
