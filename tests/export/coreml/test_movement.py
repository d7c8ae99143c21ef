"""Every operation that moves numbers gives what PyTorch gives, or what the specification shows."""

import numpy as np
import pytest
import torch

from export.coreml.movement import MOVEMENT

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(7, 3)).astype(np.float16)
ROWS = np.array([[1, 6, 0], [2, 2, 5]], dtype=np.int16)
FIVE = np.array([[3.0, 1.0, 3.0, 2.0, 0.0]], dtype=np.float32)
CUBE = np.arange(24).reshape(2, 3, 4)


def run(operation, /, **inputs):
    return MOVEMENT[operation](**inputs)


def test_gather_takes_rows():
    expected = torch.from_numpy(TABLE)[torch.from_numpy(ROWS).long()].numpy()

    np.testing.assert_array_equal(run("gather", x=TABLE, indices=ROWS), expected)
    np.testing.assert_array_equal(run("gather", x=TABLE.T, indices=ROWS, axis=1), TABLE.T[:, ROWS])


def test_gather_counts_a_negative_number_from_the_end():
    np.testing.assert_array_equal(run("gather", x=TABLE, indices=np.array([-1])), TABLE[[6]])


def test_gather_refuses_a_row_that_is_not_there():
    with pytest.raises(IndexError):
        run("gather", x=TABLE, indices=np.array([7]))


def test_gather_in_batches_takes_rows_of_each_example():
    x, indices = RNG.normal(size=(2, 5, 3)), np.array([[4, 0], [1, 1]])

    given = run("gather", x=x, indices=indices, axis=1, batch_dims=1)

    np.testing.assert_array_equal(given, np.stack([x[0, [4, 0]], x[1, [1, 1]]]))


def test_gather_along_an_axis_agrees_with_pytorch():
    x, indices = torch.randn(3, 4), torch.tensor([[0, 3], [1, 1], [2, 0]])

    given = run("gather_along_axis", x=x.numpy(), indices=indices.numpy(), axis=1)

    np.testing.assert_array_equal(given, x.gather(1, indices).numpy())


def test_gather_by_coordinates():
    assert run("gather_nd", x=CUBE, indices=np.array([[1, 2, 3], [0, 0, 1]])).tolist() == [23, 1]
    given = run("gather_nd", x=CUBE, indices=np.array([[[2]], [[0]]]), batch_dims=1)
    assert given.tolist() == [[[8, 9, 10, 11]], [[12, 13, 14, 15]]]


def test_scatter_along_an_axis_overwrites_as_pytorch_does():
    data, indices = torch.randn(2, 6), torch.tensor([[0, 5, 0], [2, 1, 3]])
    updates = torch.full((2, 3), -1e4)

    given = run(
        "scatter_along_axis",
        data=data.numpy(),
        indices=indices.int().numpy(),
        updates=updates.numpy(),
        axis=1,
        mode="update",
    )

    np.testing.assert_array_equal(given, data.scatter(1, indices, updates).numpy())


def test_scatter_along_an_axis_leaves_what_it_was_given_as_it_was():
    data = np.zeros((1, 3), dtype=np.float32)

    run("scatter_along_axis", data=data, indices=np.array([[1]]), updates=np.ones((1, 1)), axis=1)

    assert not data.any()


@pytest.mark.parametrize("mode, expected", [("add", 9), ("sub", 1), ("mul", 30), ("max", 5)])
def test_scatter_counts_a_place_as_often_as_it_is_named(mode, expected):
    inputs = {"data": np.array([[5.0, 0.0]]), "indices": np.array([[0, 0]])}

    given = run(
        "scatter_along_axis", **inputs, updates=np.array([[2.0, 2.0 if mode != "mul" else 3.0]]),
        axis=1, mode=mode,
    )  # fmt: skip

    assert given.tolist() == [[expected, 0.0]]


def test_scatter_writes_slices_and_scatter_nd_coordinates():
    data, updates = np.zeros((3, 2)), np.array([[1.0, 2.0]])

    rows = run("scatter", data=data, indices=np.array([2]), updates=updates, mode="update")
    added = run("scatter", data=rows, indices=np.array([2]), updates=updates)
    single = run(
        "scatter_nd", data=data, indices=np.array([[0, 1]]), updates=np.array([7.0]), mode="update"
    )
    twice = run("scatter_nd", data=single, indices=np.array([[0, 1]]), updates=np.array([1.0]))

    assert rows.tolist() == [[0, 0], [0, 0], [1, 2]]
    assert added.tolist() == [[0, 0], [0, 0], [2, 4]]
    assert single.tolist() == [[0, 7], [0, 0], [0, 0]]
    assert twice.tolist() == [[0, 8], [0, 0], [0, 0]]


def test_topk_returns_the_best_first_and_of_equals_the_first():
    values, places = run("topk", x=FIVE, k=3, axis=1)

    assert values.tolist() == [[3.0, 3.0, 2.0]]
    assert places.tolist() == [[0, 2, 3]]


def test_topk_of_equals_at_its_end_returns_the_first():
    x = np.array([[1.0, 2.0, 1.0, 1.0]])

    assert run("topk", x=x, k=2)[1].tolist() == [[1, 0]]


def test_topk_agrees_with_pytorch():
    x = torch.randn(4, 50, 3)

    values, places = run("topk", x=x.numpy(), k=10, axis=1)
    lowest, where = run("topk", x=x.numpy(), k=4, axis=-2, ascending=True)

    expected, low = x.topk(10, dim=1), x.topk(4, dim=1, largest=False)
    np.testing.assert_array_equal(values, expected.values.numpy())
    np.testing.assert_array_equal(places, expected.indices.numpy())
    np.testing.assert_array_equal(lowest, low.values.numpy())
    np.testing.assert_array_equal(where, low.indices.numpy())


def test_topk_without_indices_returns_values_alone():
    assert len(run("topk", x=FIVE, k=1, return_indices=False)) == 1


def test_sorted_places():
    assert run("argsort", x=FIVE).tolist() == [[0, 2, 3, 1, 4]]
    assert run("argsort", x=FIVE, ascending=True).tolist() == [[4, 1, 3, 0, 2]]
    assert run("reduce_argmax", x=FIVE, axis=1).tolist() == [[0]]
    assert run("reduce_argmin", x=FIVE, axis=1, keep_dims=False).tolist() == [4]


def test_a_slice_has_open_ends_steps_and_single_places():
    given = run(
        "slice_by_index",
        x=CUBE,
        begin=np.array([-1, 0, 3]),
        end=np.array([0, 2, 0]),
        stride=np.array([1, 1, -2]),
        squeeze_mask=np.array([True, False, False]),
        end_mask=np.array([False, False, True]),
    )

    assert given.tolist() == CUBE[-1, 0:2, 3::-2].tolist()


def test_a_slice_of_a_size_takes_what_is_left_for_minus_one():
    given = run("slice_by_size", x=CUBE, begin=np.array([0, 1, 2]), size=np.array([1, -1, 2]))

    assert given.tolist() == CUBE[0:1, 1:, 2:4].tolist()


def test_splits_are_equal_or_of_given_sizes():
    equal = run("split", x=CUBE, axis=2, num_splits=2)
    given = run("split", x=CUBE, axis=1, split_sizes=np.array([1, 2]))

    assert [one.shape for one in equal] == [(2, 3, 2), (2, 3, 2)]
    assert [one.shape for one in given] == [(2, 1, 4), (2, 2, 4)]
    assert given[1].tolist() == CUBE[:, 1:].tolist()


def test_concat_puts_one_after_the_other_or_in_turn():
    x, y = np.array([[1, 2]]), np.array([[3, 4]])

    assert run("concat", values=[x, y], axis=1).tolist() == [[1, 2, 3, 4]]
    assert run("concat", values=[x, y], axis=1, interleave=True).tolist() == [[1, 3, 2, 4]]
    assert run("stack", values=[x, y], axis=0).tolist() == [[[1, 2]], [[3, 4]]]


@pytest.mark.parametrize(
    "mode, expected",
    [
        ("constant", [9, 1, 2, 3, 9, 9]),
        ("replicate", [1, 1, 2, 3, 3, 3]),
        ("reflect", [2, 1, 2, 3, 2, 1]),
    ],
)
def test_padding_is_of_the_last_dimensions(mode, expected):
    x = np.array([[[1, 2, 3]]])

    given = run("pad", x=x, pad=np.array([1, 2]), mode=mode, constant_val=9)

    assert given.tolist() == [[expected]]


def test_shapes():
    assert run("reshape", x=CUBE, shape=np.array([4, -1])).shape == (4, 6)
    assert run("transpose", x=CUBE, perm=np.array([-1, 0, 1])).shape == (4, 2, 3)
    assert run("expand_dims", x=CUBE, axes=np.array([0, -1])).shape == (1, 2, 3, 4, 1)
    assert run("squeeze", x=CUBE[:1, :, :1], axes=np.array([0])).shape == (3, 1)
    assert run("squeeze", x=CUBE[:1, :, :1]).shape == (3,)
    assert run("shape", x=CUBE).tolist() == [2, 3, 4]
    assert run("tile", x=CUBE, reps=np.array([1, 2, 1])).shape == (2, 6, 4)
    assert run("fill", shape=np.array([2, 1]), value=7.0).tolist() == [[7.0], [7.0]]
    assert run("fill_like", ref_tensor=CUBE, value=True).shape == (2, 3, 4)
    assert run("identity", x=CUBE) is CUBE


def test_sums_of_all_before():
    x = np.array([1, 2, 3])

    assert run("cumsum", x=x).tolist() == [1, 3, 6]
    assert run("cumsum", x=x, exclusive=True).tolist() == [0, 1, 3]
    assert run("cumsum", x=x, reverse=True).tolist() == [6, 5, 3]


def test_choices_and_truth():
    yes = np.array([True, False])

    assert run("select", cond=yes, a=np.array([1, 1]), b=np.array(2)).tolist() == [1, 2]
    assert run("logical_and", x=yes, y=~yes).tolist() == [False, False]
    assert run("logical_or", x=yes, y=~yes).tolist() == [True, True]
    assert run("logical_xor", x=yes, y=yes).tolist() == [False, False]
    assert run("logical_not", x=yes).tolist() == [False, True]
    assert run("one_hot", indices=np.array([2]), one_hot_vector_size=3).tolist() == [[0, 0, 1]]
    assert run("range_1d", end=7, start=1, step=3).tolist() == [1, 4]
