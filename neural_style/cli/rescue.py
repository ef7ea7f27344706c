"""A picture that cannot be written where it should be is written elsewhere."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

from .common import complain


def save_elsewhere(result: Any, output: Path, saving: dict[str, Any]) -> None:
    """Save the picture of a run that failed, or that could not be written to `output`.

    The picture goes beside `output`, or where there is room, and a line says where it is.

    Args:
        result: The TransferResult.
        output: The path that the user asked for, which stays as it is.
        saving: Options of TransferResult.save().
    """
    for place in (
        output.with_name(f"{output.stem}-rescued{output.suffix}"),
        output.with_name(f"rescued{output.suffix}"),
        Path(tempfile.gettempdir(), f"neural-style-rescued-{os.getpid()}{output.suffix}"),
    ):
        with contextlib.suppress(Exception):
            if not place.exists():
                result.save(place, **saving)
                complain(f"the picture so far is in {place}")
                return
    complain("the picture so far could not be written anywhere")
