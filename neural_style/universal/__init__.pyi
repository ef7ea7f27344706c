from .decoder import Decoders as Decoders
from .decoder import load_decoders as load_decoders
from .moments_file import load_moments as load_moments
from .moments_file import save_moments as save_moments
from .one_pass import OnePass as OnePass
from .transport import Normal as Normal
from .transport import transport_cost as transport_cost
from .transport import transport_map as transport_map
