"""What the published shapes of a report are made of, whatever they are of."""

from dataclasses import asdict
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt

from compress.metrics import Interval

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Shape(BaseModel):
    """Frozen; unknown keys are refused, and so is what JSON cannot hold."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )


class IntervalData(Shape):
    """An estimate and its 95% interval."""

    value: float
    low: float
    high: float


def interval_data(interval: Interval) -> IntervalData:
    """Return an interval as it is published."""
    return IntervalData(**asdict(interval))


class MetricInterval(IntervalData):
    """An interval that says what of: a difference, or a share, of this metric."""

    metric: str


class EnvironmentData(Shape):
    """The machine and the software; nothing that names a person or a host."""

    cpu: str
    cores: PositiveInt
    memory_gb: NonNegativeFloat
    system: str
    architecture: str
    python: str
    cpu_flags: tuple[str, ...]
    packages: dict[str, str]
    kernel: str = ""
    is_virtual: bool | None = None
    """Null: the processor does not say, or nobody asked it."""
