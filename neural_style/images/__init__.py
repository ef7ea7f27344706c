"""Load and save pictures, and work on their colors, masks, mattes and edges, without a network."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
