"""A small student with the spread of scores that a trained one has."""

import numpy as np
import pytest
import torch

from compress.recipe import TransformerStudent as Section
from compress.saved_model import save_model
from compress.students.transformer import TransformerStudent
from export.deploy import NextItemDeploy, StudentScorer
from export.onnx.emit import emit_onnx, quantize_onnx
from export.ranking_verification import Reference
from export.signature import next_item_signature

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
