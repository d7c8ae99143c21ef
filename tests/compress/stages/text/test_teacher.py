"""The gate: a teacher of texts has to beat counting. And how counting is asked."""

import json
from pathlib import Path

import numpy as np
import pytest

from compress.data.pieces import Pieces
from compress.errors import CheckFailed
from compress.progress import Display, Progress
from compress.recipe import TextLabelRecipe, TextPairRecipe
from compress.stage import StageContext
from compress.stages.text.teacher import answers_in_parts, check_teacher


class Messages(Display):
    def __init__(self):
        self.messages = []

    def said(self, message):
        self.messages.append(message)


def label_recipe(allow):
    return TextLabelRecipe.model_validate(
        {
            "name": "t",
            "task": {"kind": "text-label"},
            "data": {"source": {"kind": "table", "train": "x.csv"}},
            "teacher": {"kind": "huggingface", "allow_weak_teacher": allow},
            "student": {"kind": "bert"},
        }
    )


@pytest.fixture
def check(tmp_path):
    def check(teacher, baselines, recipe):
        for name, values in {"teacher": {"teacher": teacher}, "baselines": baselines}.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "validation.json").write_text(json.dumps(values))
        folder, display = tmp_path / "teacher-check", Messages()
        folder.mkdir(exist_ok=True)
        inputs = {name: tmp_path / name for name in ("teacher", "baselines")}
        check_teacher(StageContext(recipe, Path(), folder, inputs, Progress(display), tmp_path))
        return json.loads((folder / "verdict.json").read_text()), display.messages

    return check


COUNTING = {"majority-class": 0.05, "naive-bayes": 0.41}


def test_a_teacher_that_beats_all_of_them_passes(check):
    verdict, messages = check(0.42, COUNTING, label_recipe(False))
    assert verdict == {"teacher": 0.42, **COUNTING, "weak": False}
    assert messages == []


@pytest.mark.parametrize("value", [0.1, 0.41])
def test_one_that_does_not_stops_the_run_with_exit_code_1(check, tmp_path, value):
    with pytest.raises(CheckFailed) as raised:
        check(value, COUNTING, label_recipe(False))
    assert raised.value.exit_code == 1
    message = str(raised.value)
    assert "does not beat the naive-bayes baseline on validation macro-F1" in message
    assert f"{value:.4f} against 0.4100" in message
    assert "teacher.allow_weak_teacher: true" in message
    assert not (tmp_path / "teacher-check" / "verdict.json").exists()


def test_it_goes_on_when_the_recipe_allows_it_and_says_so(check):
    verdict, messages = check(0.2, COUNTING, label_recipe(True))
    assert verdict["weak"] is True
    assert len(messages) == 1
    assert "Going on, as teacher.allow_weak_teacher asks for." in messages[0]


def test_pairs_are_compared_by_their_own_metric(check):
    about = label_recipe(False).model_dump(mode="json", exclude={"task", "data"})
    about |= {"task": {"kind": "text-pair"}, "data": {"source": {"kind": "table", "train": "x"}}}
    with pytest.raises(CheckFailed, match=r"the bm25 baseline on validation NDCG@10: 0\.3000 ag"):
        check(0.3, {"bm25": 0.5}, TextPairRecipe.model_validate(about))


def test_counting_is_asked_about_a_bounded_number_of_texts_at_once():
    """One text of 500 pieces would else pad all of a large split to 500."""
    lengths = np.full(2500, 3)
    lengths[7] = 500
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    texts = np.repeat(np.arange(2500, dtype=np.int32), lengths)
    seen = []

    class Baseline:
        def answers(self, batch):
            seen.append(batch.input_ids.shape)
            return batch.input_ids[:, :1].astype(np.float32)

    pieces = Pieces(texts, offsets, lengths.astype(np.int32), padding_id=0)
    answers = answers_in_parts(Baseline(), pieces)
    assert seen == [(1024, 500), (1024, 3), (452, 3)]
    assert answers[:, 0].tolist() == list(range(2500))
