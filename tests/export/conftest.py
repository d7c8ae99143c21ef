"""Small students of every kind with the spread of answers that trained ones have, and sources."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from compress.data.catalogue import item_map_sha256
from compress.files import file_sha256, tree_bytes, tree_sha256
from compress.recipe import (
    BertStudent,
    MeanPooledStudent,
    MobileBertStudent,
    TextCnnStudent,
    content_hash,
)
from compress.recipe import TransformerStudent as Section
from compress.saved_model import save_model
from compress.saved_text_model import load_text_model, save_text_model
from compress.students.transformer import TransformerStudent
from compress.tokenizers.tokenizer import PieceTokenizer
from export.artifact import Artifact
from export.deploy import NextItemDeploy, StudentScorer
from export.formats import format_of
from export.onnx.emit_next_item import emit_onnx, quantize_onnx
from export.ranking_verification import Reference
from export.rows import write_artifacts
from export.samples import Samples
from export.signature import next_item_signature, text_signature
from export.source import About, DeploySource
from export.text_deploy import TextDeploy
from export.text_samples import cut_samples, text_samples
from export.text_verification import TextReference
from export.verification import Check
from export.verification_set import VERIFICATION, VerificationSet

ITEMS, LENGTH, TOP_K = 300, 12, 25


@pytest.fixture(scope="session")
def student():
    torch.manual_seed(0)
    network = TransformerStudent(
        width=16, layers=1, heads=2, dropout=0.1, items=ITEMS, history_length=LENGTH
    ).eval()
    with torch.no_grad():
        network.table.mul_(20)
        network.bias.normal_()
        network.unknown.normal_()
    return network


@pytest.fixture(scope="session")
def histories():
    rng = np.random.default_rng(0)
    found = rng.integers(2, ITEMS + 2, (260, LENGTH)).astype(np.int32)
    for row, length in enumerate(rng.integers(0, LENGTH + 1, 260)):
        found[row, : LENGTH - length] = 0
    found[0] = 0
    found[1] = np.arange(2, LENGTH + 2)
    found[2, -1] = 1
    return found


@pytest.fixture(scope="session")
def deploy(student):
    def deploy(mask_seen=True, top_k=TOP_K):
        return NextItemDeploy(
            StudentScorer(student), items=ITEMS, top_k=top_k, mask_seen=mask_seen
        ).eval()

    return deploy


@pytest.fixture(scope="session")
def reference(deploy, histories):
    with torch.inference_mode():
        given = torch.from_numpy(histories)
        scores = deploy().scorer(given.long()).numpy()
        return Reference(histories, scores, deploy()(given)[0].numpy(), True)


@pytest.fixture(scope="session")
def signature():
    return next_item_signature(
        items=ITEMS,
        history_length=LENGTH,
        top_k=TOP_K,
        mask_seen=True,
        recipe_sha256="recipe hash",
        item_map_sha256="item map hash",
    )


@pytest.fixture(scope="session")
def onnx_files(tmp_path_factory, deploy, signature):
    """Paths by scheme."""
    folder = tmp_path_factory.mktemp("onnx")
    paths = {"fp32": folder / "fp32.onnx", "int8-dynamic": folder / "int8.onnx"}
    emit_onnx(deploy(), signature, paths["fp32"])
    quantize_onnx(paths["fp32"], signature, paths["int8-dynamic"])
    return paths


@pytest.fixture(scope="session")
def saved_student(tmp_path_factory, student):
    folder = tmp_path_factory.mktemp("student")
    section = Section(kind="transformer", width=16, layers=1, heads=2)
    save_model(folder, student, section, ITEMS, LENGTH)
    return folder


# ---------------------------------------------------------------------------------- texts

CLASSES = ("Dresses", "Jeans", "Knits")
TEXT_LENGTH = 24
SECTIONS = {
    "bert": BertStudent(kind="bert", width=32, layers=2, heads=2, intermediate=64),
    "mobilebert": MobileBertStudent(
        kind="mobilebert",
        width=32,
        bottleneck=16,
        embedding_width=16,
        layers=2,
        heads=2,
        intermediate=32,
        feed_forwards=2,
    ),
    "text-cnn": TextCnnStudent(kind="text-cnn", width=16, filters=8, kernels=(2, 3)),
    "mean-pooled": MeanPooledStudent(kind="mean-pooled", width=16, hidden=(16,), residual=True),
}
WORDS = [
    "the",
    "a",
    "of",
    "it",
    "is",
    "dress",
    "dresses",
    "jean",
    "##s",
    "knit",
    "##ted",
    "love",
    "##d",
    "##ly",
    "fit",
    "soft",
    "co",
    "##tton",
    "blue",
    "cafe",
    "naive",
    "resume",
    "!",
    ".",
    ",",
    "'",
    "-",
    "$",
    "%",
    "5",
    "0",
    "(",
    ")",
    "[",
    "]",
    "sep",
    "cls",
    "mask",
    "pad",
    "中",
    "文",
    "衣",
    "😀",
    "❤",
    "ᄒ",
    "##ᅡ",
    "##ᆫ",
]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="session")
def bert_tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *WORDS, *(f"##{one}" for one in LETTERS[:20]), *LETTERS[1:]]
    ids = {piece: number for number, piece in enumerate(pieces)}
    backend = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.add_special_tokens(special)
    roles = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    config = {**dict(zip(roles, special, strict=True)), "tokenizer_class": "BertTokenizer"}
    return PieceTokenizer(backend, config)


@pytest.fixture(scope="session")
def save_student(tmp_path_factory, bert_tokenizer):
    """Save a student of a kind with the spread of answers that a trained one has."""

    def save(kind, target="one-of", outputs=3):
        torch.manual_seed(1)
        section = SECTIONS[kind]
        model = section.build(
            pieces=bert_tokenizer.pieces, outputs=outputs, max_length=TEXT_LENGTH, padding_id=0
        )
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(std=weight.shape[-1] ** -0.5)
            model.word_embeddings().weight[0] = 0  # padding, which MobileBERT's neighbours see
        folder = tmp_path_factory.mktemp(kind)
        classes = () if target == "score" else CLASSES
        save_text_model(folder, model, bert_tokenizer, classes, target, section=section)
        return folder

    return save


@pytest.fixture(scope="session")
def sign():
    """A signature for the small students."""

    def sign(target="one-of", is_pair=False, has_gains=False):
        return text_signature(
            task="text-pair" if is_pair else "text-label",
            target=target,
            classes=len(CLASSES),
            max_length=TEXT_LENGTH,
            is_pair=is_pair,
            has_gains=has_gains,
            recipe_sha256="recipe hash",
            tokenizer_sha256="tokenizer hash",
            classes_sha256="classes hash",
        )

    return sign


@pytest.fixture(scope="session")
def pieces():
    """Six texts as pieces, of different lengths, padded on the right; half are pairs."""
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 60, (6, 20)).astype(np.int32)
    mask = (np.arange(20) < np.array([20, 1, 7, 20, 12, 3])[:, None]).astype(np.int32)
    types = (np.arange(20) >= np.array([20, 20, 20, 4, 6, 2])[:, None]).astype(np.int32) * mask
    return {"input_ids": ids * mask, "attention_mask": mask, "token_type_ids": types}


@pytest.fixture(scope="session")
def student_logits():
    """What the saved student itself answers."""

    def answer(folder, given, is_pair=False):
        model = load_text_model(folder).model
        given = {name: torch.from_numpy(array).long() for name, array in given.items()}
        if not is_pair:
            given["token_type_ids"] = torch.zeros_like(given["input_ids"])
        with torch.inference_mode():
            return model(**given).logits.numpy()

    return answer


# -------------------------------------------------------------------------------- sources


@pytest.fixture
def next_item_source(tmp_path, deploy, signature, histories):
    """The small next-item student as emitters take it."""
    return DeploySource(
        module=deploy(),
        signature=signature,
        length=LENGTH,
        student=tmp_path,
        calibration=Samples({"history": histories[:64]}),
        scratch=tmp_path,
        about=About("tiny", "Somebody", "Apache-2.0"),
    )


@pytest.fixture
def text_source_of(tmp_path, save_student, sign, pieces):
    """A small text student of a kind as emitters take it."""

    def source(kind, target="one-of", is_pair=False, gains=None):
        outputs = 1 if target == "score" else len(CLASSES)
        folder = save_student(kind, target, outputs)
        saved = load_text_model(folder)
        signed = sign(target, is_pair, gains is not None)
        names = [one.name for one in signed.inputs]
        lengths = pieces["attention_mask"].sum(axis=1).astype(np.int32)
        return DeploySource(
            module=TextDeploy(saved.model, target, gains).eval(),
            signature=signed,
            length=TEXT_LENGTH,
            student=folder,
            calibration=Samples({name: pieces[name] for name in names}, lengths),
            scratch=tmp_path,
            about=About("tiny", "Somebody", "Apache-2.0"),
            classes=() if target == "score" else CLASSES,
            gains=gains,
        )

    return source


# -------------------------------------------------------------------------------- exports


@pytest.fixture(scope="session")
def made_exports():
    """Export folders by task and file, each made once."""
    return {}


@pytest.fixture
def export_of(
    tmp_path, tmp_path_factory, made_exports, next_item_source, reference, text_source_of
):
    """Copy the export folder of a small student, as the stage leaves it with one file in it."""

    def export(task, wanted):
        if (task, wanted.name) not in made_exports:
            folder = tmp_path_factory.mktemp("export")
            if task == "next-item":
                _export_next_item(folder, wanted, next_item_source, reference)
            else:
                _export_texts(folder, wanted, text_source_of("bert"))
            made_exports[task, wanted.name] = folder
        copy = tmp_path / "run" / "export"
        shutil.copytree(made_exports[task, wanted.name], copy)
        return copy

    return export


def _export_next_item(folder, wanted, source, reference):
    names = [f"item {number}" for number in range(ITEMS)]
    item_map = {"schema": 1, "padding": 0, "unknown": 1, "first_item": 2, "items": names}
    (folder / "item-map.json").write_text(json.dumps(item_map))
    fields = {**source.signature.fields, "item_map_sha256": item_map_sha256(names)}
    signature = replace(source.signature, fields=fields)
    VerificationSet.from_reference(reference, signature).save(folder / VERIFICATION)
    _write_file(folder, wanted, replace(source, signature=signature))


def _export_texts(folder, wanted, source):
    tokenizer = load_text_model(source.student).tokenizer
    tokenizer.save(folder / "tokenizer")
    contract = {"target": "one-of", "classes": list(source.classes)}
    (folder / "classes.json").write_text(json.dumps({"schema": 1, **contract}))
    fields = {
        **source.signature.fields,
        "tokenizer_sha256": file_sha256(folder / "tokenizer" / "tokenizer.json"),
        "classes_sha256": content_hash(contract),
    }
    signature = replace(source.signature, fields=fields)
    rng = np.random.default_rng(0)
    words = [word for word in WORDS if not word.startswith("##")]
    texts = ["", *(" ".join(rng.choice(words, size)) for size in rng.integers(1, 30, 59))]
    samples = cut_samples(tokenizer, texts, None, TEXT_LENGTH)
    with torch.inference_mode():
        rows = [
            source.module(*(torch.from_numpy(one) for one in samples.row(row).values()))[0]
            for row in range(len(samples))
        ]
    reference = TextReference(samples, {"probabilities": torch.cat(rows).numpy()}, "one-of")
    VerificationSet.from_reference(reference, signature, text_samples(texts)).save(
        folder / VERIFICATION
    )
    _write_file(folder, wanted, replace(source, signature=signature))


def _write_file(folder, wanted, source):
    known = format_of(wanted.format, wanted.device)
    emitted = known.emit(source, wanted, folder)
    artifact = Artifact(
        name=wanted.name,
        path=emitted.path.name,
        inputs="",
        format=wanted.format,
        scheme=wanted.scheme,
        target=wanted.device or known.target,
        runtime=known.runtime,
        bytes=tree_bytes(emitted.path),
        sha256=tree_sha256(emitted.path),
        check=Check(0, None, None, None, ()),
        signature=source.signature.metadata(),
        sidecars=tuple(one.relative_to(folder).as_posix() for one in emitted.sidecars),
        details=emitted.details,
    )
    write_artifacts(folder, [artifact], [])
