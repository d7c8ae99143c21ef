"""Losses that compare what student and teacher hold inside, piece by piece.

Every loss is called with the answers of student and teacher to the same B texts of L pieces, and
with the mask `[B, L]` of what is no padding. Layers are counted from 0, the lowest. The teacher is
not trained; the projections are, and are left behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from compress.distill.losses import WeightedLoss
from compress.errors import UserError
from compress.networks.text_model import TextAnswer
from compress.recipe.distillation import LayerMap


@dataclass(frozen=True)
class FeatureShape:
    """What a network's features look like.

    Attributes:
        embedding_width: Of what the layers read.
        widths: Of each layer's hidden states, lowest first.
        heads: Of each layer's attention.
    """

    embedding_width: int
    widths: tuple[int, ...]
    heads: tuple[int, ...]

    @classmethod
    def of(cls, network: nn.Module) -> "FeatureShape":
        """Ask a network one text of two pieces.

        Raises:
            UserError: It has no hidden states.
        """
        device = next(network.parameters()).device
        pieces = torch.ones(1, 2, dtype=torch.long, device=device)
        was_training = network.training
        with torch.no_grad():
            answer = network.eval()(pieces, pieces, torch.zeros_like(pieces), features=True)
        network.train(was_training)
        if not answer.hidden_states:
            raise UserError(
                "distillation.losses: hidden-states, attention and embeddings need layers, and a "
                "student of this kind has none; leave these losses out, or choose student.kind: "
                "bert or mobilebert"
            )
        embeddings, *layers = (state.shape[-1] for state in answer.hidden_states)
        heads = tuple(one.shape[1] for one in answer.attentions)
        return cls(embeddings, tuple(layers), heads)


def layer_pairs(layers: LayerMap, student: int, teacher: int) -> tuple[tuple[int, int], ...]:
    """Return which layers are compared, as (student, teacher) counted from 0.

    uniform: the m-th of M student layers and the teacher's layer number round(m N / M) of N, so
             that the last ones are a pair (Jiao et al. 2020, section 4.1)
    last:    the last layers of both, as many as the shallower one has

    Args:
        layers: A rule, or the pairs themselves.
        student: Layers of the student, M.
        teacher: Layers of the teacher, N.

    Raises:
        UserError: A given pair names a layer that does not exist.
    """
    if layers == "uniform":
        return tuple(
            (one, max(1, (2 * (one + 1) * teacher + student) // (2 * student)) - 1)
            for one in range(student)
        )
    if layers == "last":
        both = min(student, teacher)
        return tuple((student - both + one, teacher - both + one) for one in range(both))
    for own, of_teacher in layers:
        if own >= student or of_teacher >= teacher:
            raise UserError(
                f"distillation.losses: layers has the pair [{own}, {of_teacher}], but the student "
                f"has layers 0 to {student - 1} and the teacher 0 to {teacher - 1}"
            )
    return tuple(layers)


class HiddenStateLoss(nn.Module):
    """MSE(H_student W, H_teacher), mean over pairs of layers (Jiao et al. 2020, eq. 8).

    The mean is over the pieces that are no padding and the teacher's width. W is learned and the
    same for all layers; where the widths are equal it starts as the identity.
    """

    def __init__(self, layers: LayerMap, student: FeatureShape, teacher: FeatureShape) -> None:
        """Choose the layers of two such networks and make the projection.

        Raises:
            UserError: See `layer_pairs`.
        """
        super().__init__()
        self.pairs = layer_pairs(layers, len(student.widths), len(teacher.widths))
        self.projection = _projection(student.widths[0], teacher.widths[0])

    def forward(self, student: TextAnswer, teacher: TextAnswer, mask: Tensor) -> Tensor:
        """Return the loss."""
        values = [
            _squared_difference(
                self.projection(student.hidden_states[own + 1]),
                teacher.hidden_states[of_teacher + 1],
                mask,
            )
            for own, of_teacher in self.pairs
        ]
        return torch.stack(values).mean()


class AttentionLoss(nn.Module):
    """Squared difference of attention, mean over pairs of layers (after Jiao et al. 2020, eq. 7).

    Of the probabilities, which all models return, not of the scores before their softmax: summed
    over the pieces attended to, so that the size does not shrink with the text's length; mean over
    heads and the pieces that attend and are no padding. Where the numbers of heads differ, the
    attention averaged over the heads is compared.
    """

    def __init__(self, layers: LayerMap, student: FeatureShape, teacher: FeatureShape) -> None:
        """Choose the layers of two such networks.

        Raises:
            UserError: See `layer_pairs`; or a network does not return attention.
        """
        super().__init__()
        if not student.heads or not teacher.heads:
            raise UserError(
                "distillation.losses: attention needs attention, which student or teacher does "
                "not return; leave this loss out"
            )
        self.pairs = layer_pairs(layers, len(student.heads), len(teacher.heads))

    def forward(self, student: TextAnswer, teacher: TextAnswer, mask: Tensor) -> Tensor:
        """Return the loss."""
        values = []
        for own, of_teacher in self.pairs:
            ours, theirs = student.attentions[own].float(), teacher.attentions[of_teacher].float()
            if ours.shape[1] != theirs.shape[1]:
                ours, theirs = ours.mean(dim=1, keepdim=True), theirs.mean(dim=1, keepdim=True)
            rows = (ours - theirs).square().sum(dim=-1).mean(dim=1)
            values.append(_mean_of_pieces(rows, mask))
        return torch.stack(values).mean()


class EmbeddingLoss(nn.Module):
    """MSE(E_student W, E_teacher) of what the first layer reads (Jiao et al. 2020, eq. 9)."""

    def __init__(self, student: FeatureShape, teacher: FeatureShape) -> None:
        """Make the projection W, which starts as the identity where the widths are equal."""
        super().__init__()
        self.projection = _projection(student.embedding_width, teacher.embedding_width)

    def forward(self, student: TextAnswer, teacher: TextAnswer, mask: Tensor) -> Tensor:
        """Return the loss."""
        ours = self.projection(student.hidden_states[0])
        return _squared_difference(ours, teacher.hidden_states[0], mask)


class FeatureLosses:
    """The weighted sum of feature losses, and the frozen teacher that they ask."""

    def __init__(
        self,
        losses: Sequence[WeightedLoss],
        teacher: nn.Module,
        teacher_ids: NDArray[Any] | None = None,
    ) -> None:
        """Take the terms.

        Args:
            losses: Of this module, weighted.
            teacher: Asked at every step, in inference mode.
            teacher_ids: `[pieces of the student]`, the teacher's id of each of them; None: theirs
                are the same. So both read the same pieces of a text.

        Raises:
            ValueError: The teacher does not know one of the student's pieces.
        """
        if teacher_ids is not None and (teacher_ids < 0).any():
            raise ValueError("the teacher does not know all of the student's pieces")
        self.modules = nn.ModuleDict(
            {str(number): _module(term.loss) for number, term in enumerate(losses)}
        )
        self._weights = [term.weight for term in losses]
        self._teacher = teacher.eval()
        self._teacher_ids = None if teacher_ids is None else torch.from_numpy(teacher_ids).long()

    def __call__(
        self, student: TextAnswer, input_ids: Tensor, mask: Tensor, token_type_ids: Tensor
    ) -> Tensor:
        """Ask the teacher about a batch and return the weighted sum.

        Args:
            student: The student's answer to the batch, with features.
            input_ids: `[B, L]`, the student's pieces.
            mask: `[B, L]`, 1 for pieces, 0 for padding.
            token_type_ids: `[B, L]`.
        """
        self._teacher.to(input_ids.device)
        if self._teacher_ids is not None:
            self._teacher_ids = self._teacher_ids.to(input_ids.device)
            input_ids = self._teacher_ids[input_ids]
        with torch.no_grad():
            teacher = self._teacher(input_ids, mask, token_type_ids, features=True)
        terms = [
            weight * loss(student, teacher, mask)
            for weight, loss in zip(self._weights, self.modules.values(), strict=True)
        ]
        return torch.stack(terms).sum()


FEATURE_LOSSES = (HiddenStateLoss, AttentionLoss, EmbeddingLoss)


def _module(loss: object) -> nn.Module:
    if not isinstance(loss, FEATURE_LOSSES):
        raise TypeError(f"{type(loss).__name__} is no loss of features")
    return loss


def _projection(width: int, target: int) -> nn.Linear:
    projection = nn.Linear(width, target, bias=False)
    if width == target:
        nn.init.eye_(projection.weight)
    return projection


def _squared_difference(ours: Tensor, theirs: Tensor, mask: Tensor) -> Tensor:
    """`[B, L, W]` twice, to the mean over the pieces that are no padding."""
    return _mean_of_pieces((ours.float() - theirs.float()).square().mean(dim=-1), mask)


def _mean_of_pieces(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of `[B, L]` where the mask is 1."""
    return (values * mask).sum() / mask.sum().clamp_min(1)
