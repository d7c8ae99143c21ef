"""The learning rate: up, then level or down to nothing."""

import pytest

from compress.distill.training_module import learning_rate_factor
from compress.recipe import Training


def factors(steps, **settings):
    training = Training(**settings)
    return [learning_rate_factor(training, step, steps) for step in range(steps)]


def test_it_rises_linearly_and_stays():
    assert factors(8, warmup_steps=4) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_linear_falls_to_nothing_after_the_last_step():
    found = factors(6, warmup_steps=2, schedule="linear")
    assert found == pytest.approx([0.5, 1.0, 1.0, 0.75, 0.5, 0.25])
    assert learning_rate_factor(Training(warmup_steps=2, schedule="linear"), 6, 6) == 0.0


def test_without_warmup_it_begins_at_the_top():
    assert factors(3, warmup_steps=0) == [1.0, 1.0, 1.0]
    assert factors(4, warmup_steps=0, schedule="linear") == pytest.approx([1.0, 1.0, 2 / 3, 1 / 3])


def test_a_warmup_takes_at_most_half_of_a_short_training():
    found = factors(4, warmup_steps=100, schedule="linear")
    assert found == pytest.approx([0.5, 1.0, 1.0, 0.5])
