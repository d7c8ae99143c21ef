"""How networks are trained, and where their curves go."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from compress.recipe.section import Probability, Section


class Training(Section):
    """How a network is trained: AdamW, early stopping on the task's metric on validation."""

    epochs: PositiveInt = 60
    """At most; early stopping usually ends it sooner."""
    patience: PositiveInt = 5
    """Epochs without a better validation metric before training stops."""
    batch_size: PositiveInt = 64
    """Windows (of up to `history_length` positions) or texts a step."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    """Steps over which the learning rate rises linearly from 0."""
    gradient_clip: PositiveFloat = 1.0
    weight_averaging: Probability | None = 0.995
    """Decay a step of the moving average of the weights, which is what is kept; None: none."""
    schedule: Literal["constant", "linear"] = "constant"
    """Of the learning rate after the warm-up: constant, or falling linearly to 0 at the end."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32"
    """Of the forward pass (autocast; weights stay fp32). `auto`: bf16 where the machine has it."""


class TextTraining(Training):
    """The defaults of `Training` for networks that read text."""

    epochs: PositiveInt = 3
    patience: PositiveInt = 2
    batch_size: PositiveInt = 32
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 5e-5
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    weight_averaging: Probability | None = None
    schedule: Literal["constant", "linear"] = "linear"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"


class StudentTraining(Training):
    """The defaults of `Training` for next-item students."""

    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3


class TextStudentTraining(TextTraining):
    """The defaults of `Training` for students that read text."""

    epochs: PositiveInt = 10
    patience: PositiveInt = 3
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 5e-4


class WandB(Section):
    """Weights & Biases logging (extra `wandb`)."""

    project: str
    mode: Literal["online", "offline"] = "online"


class Logging(Section):
    """Where training curves go besides the report."""

    tensorboard: bool = True
    wandb: WandB | None = None
