"""Histories that show whether a block is there."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from export.blocked_cases import MOST_CASES, blocked_cases
from export.blocked_items import BlockedItems
from export.samples import Samples


@pytest.fixture
def places(next_item_source, deploy):
    """The 0-based place of an item in the answers to histories; 300 where it is not returned."""

    def places(code, histories):
        with torch.inference_mode():
            item_ids = next_item_source.module(torch.from_numpy(histories))[0].numpy()
        found = item_ids == code
        return np.where(found.any(axis=1), found.argmax(axis=1), 300)

    return places


@pytest.fixture
def source(next_item_source, histories):
    """Calibration histories are 200 of the histories, and files are verified on the rest."""
    return replace(next_item_source, calibration=Samples({"history": histories[60:]}))


def test_an_item_is_shown_where_the_student_ranks_it_highest(source, histories, places):
    with torch.inference_mode():
        code = int(source.module(torch.from_numpy(histories[70:71]))[0][0, 3])
    found = blocked_cases(source, BlockedItems((code,)), histories[:60])
    assert len(found.histories) == 1
    assert places(code, found.histories)[0] == places(code, histories[60:]).min()
    assert found.wanted == found.blocked == 1
    assert found.sentence.startswith("1 item is blocked; without that 1 of them would be")


def test_an_item_that_nobody_wants_adds_no_history(source, histories):
    with torch.inference_mode():
        answers = source.module(torch.from_numpy(histories))[0].numpy()
    unwanted = np.setdiff1d(np.arange(2, 302), answers)
    found = blocked_cases(source, BlockedItems(tuple(unwanted[:3])), histories[:60])
    assert found.histories.shape == (0, histories.shape[1])
    assert found.wanted == 0
    assert found.blocked == 3


def test_there_are_not_more_than_are_verified_in_a_moment(source, histories):
    found = blocked_cases(source, BlockedItems(tuple(range(2, 302))), histories[:60])
    assert len(found.histories) == MOST_CASES
    assert found.wanted > 100


def test_items_that_only_the_others_show_are_counted(source, histories):
    """The histories that files are verified on anyway show an item too."""
    with torch.inference_mode():
        inside, outside = (
            source.module(torch.from_numpy(part))[0].numpy()
            for part in (histories[:60], histories[60:])
        )
    code = int(np.setdiff1d(inside, outside)[0])
    found = blocked_cases(source, BlockedItems((code,)), histories[:60])
    assert len(found.histories) == 0
    assert found.wanted == 1
