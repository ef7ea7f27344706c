"""Where a picture comes from: the record of a run, kept with its picture."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
