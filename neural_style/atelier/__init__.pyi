from .room import Studio as Studio
from .room import studio as studio
