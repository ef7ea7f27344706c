"""Pictures: load and save them, their colors, masks, matting and filters. No network."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
