"""Texts on the command line to values: layers, shares, numbers, frames, cameras."""


def layers(text: str) -> list[str] | dict[str, float]:
    """Read "conv1_1,conv2_1=0.5" as {"conv1_1": 1.0, "conv2_1": 0.5}, and names alone as a list.

    Args:
        text: Names with commas between, each with "=" and a weight or without.

    Returns:
        The names, or {name: weight} if any name has a weight.
    """
    pairs = [item.partition("=")[::2] for item in text.split(",")]
    if not any(weight for _, weight in pairs):
        return [name for name, _ in pairs]
    return {name: float(weight or 1) for name, weight in pairs}


def shares(text: str) -> str | dict[str, float]:
    """Read "poppies" as that name, and "starry_night=0.6,poppies=0.4" as {name: share}.

    Args:
        text: One name, or several with commas between, each with "=" and a share or without.

    Returns:
        The only name, or {name: share}, where names without a share have the share 1.
    """
    named = layers(text)
    if isinstance(named, dict):
        return named
    return named[0] if len(named) == 1 else dict.fromkeys(named, 1.0)


def numbers(text: str) -> list[float]:
    """Read "0.5,2" as [0.5, 2.0].

    Args:
        text: Numbers with commas between.

    Returns:
        The numbers.
    """
    return [float(number) for number in text.split(",")]


def integers(text: str) -> tuple[int, ...]:
    """Read "1,2,4" as (1, 2, 4).

    Args:
        text: Integers with commas between.

    Returns:
        The integers.
    """
    return tuple(int(number) for number in text.split(","))


def frames(text: str) -> slice:
    """Read "10:20" as slice(10, 20); either side may be left out.

    Args:
        text: FIRST:LAST, where LAST is the first frame that is left out.

    Returns:
        The slice.
    """
    return slice(*(int(number) if number else None for number in text.split(":")))


def camera(text: str) -> int | str:
    """Read "0" as the number of a camera, and any other text as the path of a film.

    Args:
        text: Digits or a path.

    Returns:
        The number or the path.
    """
    return int(text) if text.isdigit() else text
