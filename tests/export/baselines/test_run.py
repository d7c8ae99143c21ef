"""Baselines called like any file."""

import numpy as np
import pytest

from compress.errors import UserError
from compress.teachers.baselines import Popularity
from export.baselines.emit import emit_baseline
from export.baselines.run import BaselineRunner


@pytest.fixture
def popularity(tmp_path):
    """Items 0 to 4 chosen 1, 5, 3, 5 and 0 times."""
    Popularity(np.array([1, 5, 3, 5, 0], dtype=np.float32)).save(tmp_path / "p.npz")

    def emit(mask_seen, blocked=()):
        path = tmp_path / f"{mask_seen}.json"
        options = {"top_k": 4, "mask_seen": mask_seen, "blocked": blocked}
        emit_baseline(path, "popularity", tmp_path / "p.npz", **options)
        return BaselineRunner(path)

    return emit


def test_most_popular_unseen_items_come_first_ties_in_catalogue_order(popularity):
    history = np.array([[0, 3], [0, 0]], dtype=np.int32)  # item 1 has code 3
    with popularity(mask_seen=True) as runner:
        answers = runner({"history": history})
    assert answers["item_ids"].tolist() == [[5, 4, 2, 6], [3, 5, 4, 2]]
    assert answers["scores"][0].tolist() == [5, 3, 1, 0]
    assert answers["item_ids"].dtype == np.int32


def test_without_the_mask_seen_items_come_back(popularity):
    with popularity(mask_seen=False) as runner:
        answers = runner({"history": np.array([[0, 3]], dtype=np.int32)})
    assert answers["item_ids"].tolist() == [[3, 5, 4, 2]]


def test_where_items_run_out_the_rest_is_zero(popularity):
    with popularity(mask_seen=True) as runner:
        answers = runner({"history": np.array([[2, 3, 5]], dtype=np.int32)})
    assert answers["item_ids"].tolist() == [[4, 6, 0, 0]]


@pytest.mark.parametrize("mask_seen", [True, False])
def test_blocked_items_are_left_out_whatever_was_seen(popularity, mask_seen):
    """Without items 1 and 3, the most popular, 2, 0 and 4 are left."""
    with popularity(mask_seen, blocked=(3, 5)) as runner:
        answers = runner({"history": np.array([[0, 0], [3, 0], [0, 4]], dtype=np.int32)})
    left = [[4, 2, 6, 0], [4, 2, 6, 0], [2, 6, 0, 0] if mask_seen else [4, 2, 6, 0]]
    assert answers["item_ids"].tolist() == left


def test_without_blocked_items_a_description_says_nothing_of_them(popularity):
    assert "blocked" not in popularity(True).path.read_text()


def test_other_files_are_clear_errors(tmp_path):
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(UserError, match="does not describe"), BaselineRunner(tmp_path / "x.json"):
        pass
