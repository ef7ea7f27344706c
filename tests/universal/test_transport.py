"""The transport map: against scipy.linalg.sqrtm, by its property, and by what it costs."""

import numpy as np
import pytest
from keras import ops
from scipy.linalg import sqrtm

from neural_style.losses.statistics import STATISTICS
from neural_style.universal.transport import (
    Normal,
    Sums,
    mixed_map,
    sums_of,
    transport_cost,
    transport_map,
)

RNG = np.random.default_rng(0)


def features(channels=6, height=12, width=20, seed=0):
    """Correlated features above 0, h x w x C, float32."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(channels, channels))
    return np.maximum(rng.normal(size=(height, width, channels)) @ mixing + 1, 0).astype("float32")


def normal_of(f):
    """Mean and covariance by NumPy."""
    flat = f.reshape(-1, f.shape[-1]).astype("float64")
    return Normal(flat.mean(axis=0), np.cov(flat.T, bias=True))


def test_the_map_is_the_formula():
    source, target = normal_of(features(seed=1)), normal_of(features(seed=2))
    c, s = source.covariance, target.covariance
    root = np.real(sqrtm(c))
    inverse = np.linalg.inv(root)
    expected = inverse @ np.real(sqrtm(root @ s @ root)) @ inverse
    matrix, offset = transport_map(source, target, floor=0)
    np.testing.assert_allclose(matrix, expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(offset, target.mean - expected @ source.mean, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)
    assert np.linalg.eigvalsh((matrix + matrix.T) / 2).min() > 0


def test_mapped_features_have_the_target_s_mean_and_covariance():
    f, target = features(seed=1), normal_of(features(height=30, seed=2))
    matrix, offset = transport_map(sums_of(f).normal(), target)
    mapped = normal_of(f @ matrix.T + offset)
    np.testing.assert_allclose(mapped.mean, target.mean, rtol=1e-3)
    np.testing.assert_allclose(
        mapped.covariance, target.covariance, rtol=1e-3, atol=1e-3 * target.covariance.max()
    )


def test_the_cost_is_what_the_map_pays_and_the_wasserstein_statistic_s_value():
    f, g = features(seed=1), features(height=30, seed=2)
    source, target = normal_of(f), normal_of(g)
    matrix, offset = transport_map(source, target, floor=0)
    paid = np.square(f @ matrix.T + offset - f).sum(axis=-1).mean()
    cost = transport_cost(source, target)
    assert paid == pytest.approx(cost, rel=1e-5)
    statistic = STATISTICS["wasserstein"]
    a, b = (
        {
            name: ops.convert_to_tensor(array[None].astype("float32"))
            for name, array in (("mean", one.mean), ("covariance", one.covariance))
        }
        for one in (source, target)
    )
    assert float(statistic.distance(a, b)) == pytest.approx(cost, rel=1e-3)


def test_strength_goes_from_where_the_features_are_to_the_target_along_straight_lines():
    f, target = features(seed=1), normal_of(features(seed=2))
    source = normal_of(f)
    none, half, whole = (mixed_map(source, [(target, 1.0)], s, floor=0) for s in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(none[0], np.eye(6))
    np.testing.assert_array_equal(none[1], np.zeros(6))
    np.testing.assert_allclose(
        f @ half[0].T + half[1], (f + (f @ whole[0].T + whole[1])) / 2, rtol=1e-6, atol=1e-6
    )


def test_shares_mix_the_maps():
    source, targets = normal_of(features(seed=1)), [normal_of(features(seed=s)) for s in (2, 3)]
    mixed = mixed_map(source, [(targets[0], 0.25), (targets[1], 0.75)])
    of_each = [transport_map(source, target) for target in targets]
    for number in (0, 1):
        np.testing.assert_allclose(
            mixed[number], 0.25 * of_each[0][number] + 0.75 * of_each[1][number], atol=1e-12
        )


def test_sums_add_up_over_tiles_and_count_masks():
    f, mask = features(), RNG.uniform(size=(12, 20)).astype("float32")
    whole = sums_of(f, mask)
    parts = sums_of(f[:5], mask[:5]) + sums_of(f[5:], mask[5:])
    for name in Sums.__dataclass_fields__:
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-5)
    flat, m = f.reshape(-1, 6).astype("float64"), mask.reshape(-1).astype("float64")
    normal = whole.normal()
    np.testing.assert_allclose(normal.mean, np.average(flat, axis=0, weights=m), rtol=1e-5)
    np.testing.assert_allclose(
        normal.covariance, np.cov(flat.T, aweights=m, bias=True, ddof=0), rtol=1e-4, atol=1e-5
    )


def test_a_direction_that_hardly_varies_is_not_stretched_without_limit():
    """A channel of noise, 1e-6 of the others: without the floor it would be multiplied by 1e3."""
    f = features()
    f[..., 0] = 1e-3 * RNG.normal(size=f.shape[:2])
    matrix, _ = transport_map(normal_of(f), normal_of(features(seed=2)))
    free, _ = transport_map(normal_of(f), normal_of(features(seed=2)), floor=0)
    assert np.abs(matrix).max() < 100 < np.abs(free).max()


@pytest.mark.parametrize("flat", ["source", "target"])
def test_features_of_one_value_have_a_map(flat):
    """A photo, or a painting, of one color."""
    f, g = features(seed=1), features(seed=2)
    (f if flat == "source" else g)[:] = 0.5
    matrix, offset = transport_map(normal_of(f), normal_of(g))
    mapped = f @ matrix.T + offset
    assert np.isfinite(mapped).all()
    np.testing.assert_allclose(mapped.mean(axis=(0, 1)), normal_of(g).mean, rtol=1e-4)
