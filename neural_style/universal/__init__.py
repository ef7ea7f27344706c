"""Pictures painted in one pass in the style of any painting: moments of features are transported.

Where transfer() descends towards the painting's second moments, the transport map between two
normal distributions goes there in one step (Lu et al. 2019). Decoders make pictures of the features
again; they have learned that from photos alone.
"""

from .._shared.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
