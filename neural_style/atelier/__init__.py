"""The studio of a notebook: pictures that follow the hand, and what works behind them."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
