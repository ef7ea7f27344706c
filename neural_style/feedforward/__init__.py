"""Pictures painted in one pass by a trained network, after Johnson et al. 2016."""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
