"""What is minimized: content, style, regularizers and photorealism."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
