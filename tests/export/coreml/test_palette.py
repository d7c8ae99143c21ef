"""Palettes are k-means: good clusters, the same every time, and each number its nearest entry."""

import numpy as np
import pytest

from export.coreml.palette import cluster, palette_of


def squared_error(weight, table, indices):
    return float(np.square(weight.ravel() - table[indices].astype(np.float64)).sum())


def test_numbers_that_stand_together_share_a_centre():
    values = np.array([-5.0, -4.0, 0.0, 9.0, 10.0, 11.0])

    centres = cluster(values, np.array([1.0, 3.0, 1.0, 1.0, 1.0, 1.0]), 3)

    assert centres.tolist() == [-4.25, 0.0, 10.0]


def test_no_more_centres_than_numbers_and_these_are_kept():
    weight = np.array([[0.5, -1.0], [0.5, 2.0]], dtype=np.float16)

    table, indices = palette_of(2)(weight)

    assert table.dtype == np.float16
    assert table.tolist() == [-1.0, 0.5, 2.0, 0.0]
    assert table[indices].reshape(2, 2).tolist() == weight.tolist()


@pytest.mark.parametrize("bits", [4, 6])
def test_every_number_has_its_nearest_entry(bits):
    weight = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float16)

    table, indices = palette_of(bits)(weight)

    assert table.shape == (2**bits,)
    distances = np.abs(weight.reshape(-1, 1).astype(np.float64) - table)
    chosen = distances[np.arange(weight.size), indices]
    np.testing.assert_allclose(chosen, distances.min(axis=1), atol=1e-6)


@pytest.mark.parametrize("heavy_tails", [False, True])
def test_it_is_no_worse_than_scikit_learns_best_of_five(heavy_tails):
    learn = pytest.importorskip("sklearn.cluster", reason="scikit-learn is not installed")
    rng = np.random.default_rng(1)
    drawn = rng.standard_t(3, size=4000) if heavy_tails else rng.normal(size=4000)
    weight = drawn.astype(np.float32)

    given = squared_error(weight, *palette_of(4)(weight))

    best = learn.KMeans(16, n_init=5, random_state=0).fit(weight.reshape(-1, 1)).inertia_
    assert given <= 1.001 * best
