"""Texts become pieces: masks only in masked copies, and pairs that a student can tell apart."""

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, processors

from compress.data.pieces import Pieces
from compress.errors import UserError
from compress.progress import Progress
from compress.recipe_file import parse_recipe
from compress.stage import StageContext
from compress.stages.text.dataset import TOKENIZER, cut_for_student, cut_for_teacher, make_dataset
from compress.tokenizers.tokenizer import MASK_CHARACTER, PieceTokenizer

RECIPE = """
name: tiny
task: {{kind: {task}, max_length: 24}}
data: {{source: {{kind: table, {files}}}}}
teacher: {{kind: huggingface, model: {model}}}
student: {{kind: {student}, tokenizer: {{minimum_count: null}}}}
{more}
"""


def write(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def context(recipe, folder, stage, *needs):
    (folder / stage).mkdir()
    inputs = {name: folder / name for name in needs}
    return StageContext(recipe, folder, folder / stage, inputs, Progress(), folder / "logs")


def test_only_masked_copies_have_masks(tiny_bert, tmp_path):
    real = [{"text": f"red{MASK_CHARACTER}dress {n}", "label": "ab"[n % 2]} for n in range(40)]
    write(tmp_path / "train.jsonl", real)
    write(tmp_path / "more.jsonl", [{"text": f"wool {MASK_CHARACTER} hat"}] * 3)
    recipe = parse_recipe(
        RECIPE.format(
            task="text-label",
            files="train: train.jsonl, unlabelled: [more.jsonl]",
            model=tiny_bert,
            student="text-cnn",
            more="distillation: {augment: {share: 0.3, copies: 1}}",
        )
    )
    make_dataset(context(recipe, tmp_path, "dataset"))
    cut_for_teacher(context(recipe, tmp_path, "teacher-pieces", "dataset"))
    cut_for_student(context(recipe, tmp_path, "student-pieces", "dataset", "teacher-pieces"))
    for whose in ("teacher", "student"):
        folder = tmp_path / f"{whose}-pieces"
        tokenizer = PieceTokenizer.load(folder / TOKENIZER)
        pieces = Pieces.open(folder, "train", tokenizer.padding_id)
        texts = 30 + 3  # to train on, and unlabelled
        assert len(pieces) == texts + 30
        masks = (pieces.batch(np.arange(len(pieces))).input_ids == tokenizer.mask_id).sum(axis=1)
        assert masks[:texts].max() == 0
        assert masks[texts:].tolist() == [1] * 30  # of three or four pieces


@pytest.fixture
def prepared_pairs(tiny_bert, tmp_path):
    """A data set of pairs, and a teacher's tokenizer that gives both texts the same type."""
    rows = [
        {"query": f"red {n // 3}", "product": f"hat {n}", "relevance": n % 3} for n in range(60)
    ]
    write(tmp_path / "train.jsonl", rows)
    own = PieceTokenizer.load(tiny_bert)
    backend = Tokenizer.from_str(own.backend.to_str())
    backend.post_processor = processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))
    PieceTokenizer(backend, own.config).save(tmp_path / "teacher-pieces" / TOKENIZER)

    def cut(student: str, source: str = "teacher") -> Path:
        recipe = parse_recipe(
            RECIPE.format(
                task="text-pair",
                files="train: train.jsonl",
                model=tiny_bert,
                student=student,
                more="",
            ),
            overrides=[f"student.tokenizer.source={source}"],
        )
        make_dataset(context(recipe, tmp_path, "dataset"))
        cut_for_student(context(recipe, tmp_path, "student-pieces", "dataset", "teacher-pieces"))
        return tmp_path / "student-pieces"

    return cut


@pytest.mark.parametrize("student", ["text-cnn", "mean-pooled"])
def test_a_student_that_could_not_tell_query_from_product_is_refused(prepared_pairs, student):
    message = rf"student\.tokenizer\.source: teacher: .*student\.kind: {student} tells"
    with pytest.raises(UserError, match=message):
        prepared_pairs(student)


@pytest.mark.parametrize(
    ("student", "source"), [("bert", "teacher"), ("mean-pooled", "characters")]
)
def test_others_are_let_through(prepared_pairs, student, source):
    assert (prepared_pairs(student, source) / "train.pieces.npy").is_file()
