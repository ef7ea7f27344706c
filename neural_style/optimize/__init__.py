"""How pixels move: loss and gradient of a picture, in tiles too, and the optimizers."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
