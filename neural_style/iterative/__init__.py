"""A picture by optimization: transfer(), after Gatys, Ecker and Bethge 2016."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
