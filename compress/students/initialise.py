"""What a student takes over from its teacher before it is trained."""

import re
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from compress.distill.feature_losses import layer_pairs
from compress.errors import UserError
from compress.networks.hugging_face import HuggingFaceModel, first_position
from compress.recipe import Initialise
from compress.tokenizers.vocabulary_map import VocabularyMap

LayerRule = Literal["first", "last", "uniform"] | tuple[int, ...]

_BERT_NAMES = (
    (r"^attention\.(?:attn\.)?(q|k|v)(?:_lin)?\.", r"attention.self.\1."),
    (r"^attention\.self\.q\.", "attention.self.query."),
    (r"^attention\.self\.k\.", "attention.self.key."),
    (r"^attention\.self\.v\.", "attention.self.value."),
    (r"^attention\.(?:attn\.o|out_lin)\.", "attention.output.dense."),
    (r"^(?:attention\.LayerNorm|sa_layer_norm)\.", "attention.output.LayerNorm."),
    (r"^ffn\.lin1\.", "intermediate.dense."),
    (r"^ffn\.lin2\.", "output.dense."),
    (r"^output_layer_norm\.", "output.LayerNorm."),
)
"""What MPNet and DistilBERT call the same weights of a layer."""


def initialise(
    student: Any, teacher: HuggingFaceModel, section: Initialise, vocabulary_map: VocabularyMap
) -> list[str]:
    """Copy from a trained teacher into a random student what fits.

    Layers are copied weight by weight where name and shape are the same. Embeddings of pieces that
    both know are copied where the widths are equal; a narrower student takes their principal
    components, scaled so that the mean length of its random rows stays. Position and type
    embeddings go the same way. All else stays random.

    Args:
        student: A `TextModel` with `word_embeddings()`; changed in place.
        teacher: Trained.
        section: The recipe's.
        vocabulary_map: Of the student's pieces to the teacher's.

    Returns:
        What was taken over and what was not, in sentences.

    Raises:
        UserError: `section.layers` names layers that there are not.
    """
    said = []
    with torch.no_grad():
        if section.layers != "none" and isinstance(student, HuggingFaceModel):
            said += _take_layers(student, teacher, section.layers)
        if section.embeddings:
            said += _take_embeddings(student, teacher, vocabulary_map)
    return said


def matching_layers(
    rule: LayerRule, student_layers: int, teacher_layers: int
) -> list[tuple[int, int]]:
    """Return which teacher layer each student layer begins as.

    Args:
        rule: `first`; `last` and `uniform`, as the losses on features pair layers; or a teacher
            layer for each student layer.
        student_layers: M.
        teacher_layers: N.

    Returns:
        Pairs (student, teacher); 0 is the lowest layer.

    Raises:
        UserError: Another number of layers than the student has, or one the teacher lacks.
    """
    if rule == "first":
        return [(layer, layer) for layer in range(min(student_layers, teacher_layers))]
    if isinstance(rule, str):
        return list(layer_pairs(rule, student_layers, teacher_layers))
    numbers = list(rule)
    if len(numbers) != student_layers or max(numbers) >= teacher_layers:
        raise UserError(
            f"student.initialise.layers: {numbers}: the student has {student_layers} layers, and "
            f"the teacher's are 0 to {teacher_layers - 1}. Name one of them for each."
        )
    return list(enumerate(numbers))


def _take_layers(
    student: HuggingFaceModel, teacher: HuggingFaceModel, rule: LayerRule
) -> list[str]:
    into, out_of = student.layers(), teacher.layers()
    taken: list[tuple[int, int]] = []
    left: set[str] = set()
    for number, source in matching_layers(rule, len(into), len(out_of)):
        weights = _by_bert_name(out_of[source])
        own = _by_bert_name(into[number])
        fitting = [
            name for name in own if name in weights and own[name].shape == weights[name].shape
        ]
        for name in fitting:
            own[name].copy_(weights[name])
        if any(own[name].dim() > 1 for name in fitting):
            taken.append((number, source))
            left |= set(own) - set(fitting)
    if not taken:
        return ["Layers begin random: the shapes of the student's are not the teacher's."]
    pairs = ", ".join(f"{number} as the teacher's {source}" for number, source in taken)
    said = [f"Layers begin as layers of the teacher: {pairs}."]
    heads = [model.model.config.num_attention_heads for model in (student, teacher)]
    if heads[0] != heads[1]:
        said.append(f"Their attention is split into {heads[0]} heads, the teacher's {heads[1]}.")
    if left:
        said.append(f"In them, of other shapes and random: {', '.join(sorted(left))}.")
    return said


def _by_bert_name(layer: nn.Module) -> dict[str, nn.Parameter]:
    return {_bert_name(name): weight for name, weight in layer.named_parameters()}


def _bert_name(name: str) -> str:
    for pattern, bert in _BERT_NAMES:
        name = re.sub(pattern, bert, name)
    return name


def _take_embeddings(
    student: Any, teacher: HuggingFaceModel, vocabulary_map: VocabularyMap
) -> list[str]:
    into, out_of = student.word_embeddings(), teacher.word_embeddings()
    known = np.flatnonzero(vocabulary_map.teacher_ids >= 0)
    if not len(known):
        return ["Embeddings begin random: the teacher knows none of the student's pieces."]
    if into.embedding_dim > out_of.embedding_dim:
        return [
            f"Embeddings begin random: the student's are {into.embedding_dim} wide, wider than the "
            f"teacher's {out_of.embedding_dim}."
        ]
    wanted = torch.from_numpy(vocabulary_map.teacher_ids[known])
    rows = out_of.weight[wanted.to(out_of.weight.device)].double().cpu().numpy()
    whose = f"{len(known):,} of {len(vocabulary_map.pieces):,} pieces"
    beside = _beside_words(student, teacher)
    if into.embedding_dim == out_of.embedding_dim:
        _fill(into, known, rows)
        for table, source in beside:
            table.copy_(source)
        _take_norm(student, teacher)
        return [f"Embeddings of {whose} begin as the teacher's."]
    mean, components, share = principal_components(rows, into.embedding_dim)
    before = into.weight[torch.from_numpy(known)].double().norm(dim=1).mean().item()
    words = (rows - mean) @ components
    length = float(np.linalg.norm(words, axis=1).mean())
    scale = before / length if length else 1.0
    _fill(into, known, words * scale)
    for table, source in beside:
        values = source.double().cpu().numpy()
        table.copy_(torch.from_numpy((values - values.mean(axis=0)) @ components * scale))
    return [
        f"Embeddings of {whose} begin as the {into.embedding_dim} principal components of the "
        f"teacher's, which hold {share:.0%} of their variance."
    ]


def principal_components(
    rows: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Find the directions in which vectors vary most.

    Args:
        rows: `[N, D]`.
        width: How many directions, at most D.

    Returns:
        The mean `[D]`; orthonormal directions `[D, width]`, the greatest variance first, each with
        its largest entry positive; and the share of the variance that they hold, 0 to 1.
    """
    mean = rows.mean(axis=0)
    centred = rows - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(rows))
    variances, directions = variances[::-1].clip(min=0.0), directions[:, ::-1]
    chosen = directions[:, :width]
    largest = np.abs(chosen).argmax(axis=0)
    chosen = chosen * np.where(chosen[largest, np.arange(width)] < 0, -1.0, 1.0)
    total = float(variances.sum())
    return mean, chosen, float(variances[:width].sum()) / total if total else 1.0


def _fill(table: nn.Embedding, numbers: NDArray[np.int64], rows: NDArray[np.float64]) -> None:
    table.weight[torch.from_numpy(numbers)] = torch.from_numpy(rows).to(table.weight)
    if table.padding_idx is not None:
        table.weight[table.padding_idx].zero_()


def _take_norm(student: Any, teacher: HuggingFaceModel) -> None:
    if not isinstance(student, HuggingFaceModel):
        return
    own, theirs = (getattr(one.embeddings(), "LayerNorm", None) for one in (student, teacher))
    if not (isinstance(own, nn.LayerNorm) and isinstance(theirs, nn.LayerNorm)):
        return
    if own.weight.shape == theirs.weight.shape:
        own.load_state_dict(theirs.state_dict())


def _beside_words(student: Any, teacher: HuggingFaceModel) -> list[tuple[Tensor, Tensor]]:
    """Return the student's position and type rows with the teacher's, where both add to words."""
    if not isinstance(student, HuggingFaceModel):
        return []
    pairs = []
    for name in ("position_embeddings", "token_type_embeddings"):
        own, theirs = _added_to_words(student, name), _added_to_words(teacher, name)
        if own is None or theirs is None:
            continue
        rows = min(len(own), len(theirs))
        pairs.append((own[:rows], theirs[:rows]))
    return pairs


def _added_to_words(model: HuggingFaceModel, name: str) -> Tensor | None:
    """Return the rows of a table that is as wide as the words; None: there is no such table."""
    table = getattr(model.embeddings(), name, None)
    if not isinstance(table, nn.Embedding):
        return None
    if table.embedding_dim != model.word_embeddings().embedding_dim:
        return None
    return table.weight[first_position(table) :]
