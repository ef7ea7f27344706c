"""Controls for notebooks. They need the extra `widgets`."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
