from .before_after import BeforeAfter as BeforeAfter
from .picture_input import PictureInput as PictureInput
from .style_mixer import StyleMixer as StyleMixer
