"""How much of a result is a copy of one place of the painting."""

import numpy as np
from keras import ops
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from neural_style.losses.nearest import nearest

from .alexnet import features

#: Which of AlexNet's layers: the fifth, with 16 pixels from one position to the next.
LAYER = 4

#: Positions of a patch on each side of its middle.
REACH = 1

#: Two neighbors continue one copy where their matches lie as they do, up to so many positions.
SLACK = 1

#: A copy has at least so many positions.
LEAST = 12


def copied(photo: np.ndarray, painting: np.ndarray, result: np.ndarray) -> float:
    """The share of the result that is one connected, shifted copy of a place in the painting.

    Each patch of the result, 3 x 3 positions of AlexNet's relu5, finds its nearest patch of the
    painting by centered cosine. Neighbors whose nearest patches are neighbors in the same way
    belong together. The largest such piece is what counts, less the photo's own largest one: where
    a photo has a sky and the painting a sky, some 7 % belong together by chance. Strokes that come
    from all over the painting make small pieces; a boat that stands where there was none makes a
    large one.
    """
    return max(0.0, share_of(result, painting) - share_of(photo, painting))


def share_of(image: np.ndarray, painting: np.ndarray) -> float:
    """The share of a picture that is its largest piece.

    Args:
        image: uint8 RGB, H x W x 3.
        painting: The same.
    """
    own, other = (_patches(one) for one in (image, painting))
    matches = nearest(own.reshape(-1, own.shape[-1]), other.reshape(-1, other.shape[-1]))
    height, width = own.shape[:2]
    places = np.stack(np.divmod(matches, other.shape[1]), axis=-1).reshape(height, width, 2)
    return largest_piece(places) / (height * width)


def largest_piece(places: np.ndarray) -> int:
    """The number of positions of the largest piece that is a shifted copy; 0 below LEAST.

    Args:
        places: Row and column of each position's match, h x w x 2.
    """
    height, width = places.shape[:2]
    numbers = np.arange(height * width).reshape(height, width)
    shifts = places - np.stack(np.mgrid[:height, :width], axis=-1)
    pairs = []
    for one, other in ((np.s_[:-1, :], np.s_[1:, :]), (np.s_[:, :-1], np.s_[:, 1:])):
        together = np.abs(shifts[one] - shifts[other]).max(axis=-1) <= SLACK
        pairs.append(np.stack([numbers[one][together], numbers[other][together]]))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), (numbers.size, numbers.size))
    largest = np.bincount(connected_components(graph, directed=False)[1]).max()
    return int(largest) if largest >= LEAST else 0


def _patches(image: np.ndarray) -> np.ndarray:
    """The patches of a picture, h x w x (9 C)."""
    f = ops.convert_to_numpy(features(image)[LAYER])[0]
    side = 2 * REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(f, (side, side), axis=(0, 1))
    return windows.reshape(*windows.shape[:2], -1)
