"""Neural style transfer for Keras: Gatys, Ecker and Bethge's paper as a library.

    from neural_style import transfer
    transfer("photo.jpg", "painting.jpg").save("out.png")

The names in __init__.pyi are loaded when they are first used, so that `import neural_style` and the
command line's --help take no time.
"""

from ._shared.lazy import attach
from ._version import __version__ as __version__

__getattr__, __dir__, __all__ = attach(__name__, __file__)
