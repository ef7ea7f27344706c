from .read import arguments_of as arguments_of
from .read import read_record as read_record
