"""An engine takes no fewer and no more examples at once than it was built for."""

import numpy as np

from export.tensorrt.batches import batches


def _asked(count, least, most):
    inputs = {"history": np.arange(count * 2, dtype=np.int32).reshape(count, 2)}
    return [(batch["history"][:, 0].tolist(), rows) for batch, rows in batches(inputs, least, most)]


def test_what_does_not_fit_at_once_is_asked_in_several_batches():
    assert _asked(5, 1, 2) == [([0, 2], 2), ([4, 6], 2), ([8], 1)]


def test_fewer_than_the_least_are_repeated_and_their_answers_cut_off():
    assert _asked(1, 3, 8) == [([0, 0, 0], 1)]
    assert _asked(5, 4, 4) == [([0, 2, 4, 6], 4), ([8, 8, 8, 8], 1)]
    assert _asked(2, 3, 8) == [([0, 2, 0], 2)]


def test_what_fits_is_asked_as_it_is():
    assert _asked(3, 2, 4) == [([0, 2, 4], 3)]
