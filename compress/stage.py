"""One step of a job: what it depends on, what it is given, and where it stands in a plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from compress.progress import Progress
from compress.recipe import Recipe

RecipeT = TypeVar("RecipeT", bound=Recipe)


@dataclass(frozen=True)
class Stage(Generic[RecipeT]):
    """One step of a job: what it depends on, and the work that writes its folder."""

    name: str
    """Also the name of its folder."""
    title: str
    """What a person reads in the plan."""
    needs: tuple[str, ...]
    """Stages whose folders it reads."""
    version: int
    """Raised whenever the code of the stage changes what it writes."""
    settings: Callable[[RecipeT], object]
    """The JSON-able part of the recipe that it depends on."""
    work: Callable[["StageContext[RecipeT]"], None]
    after: tuple[str, ...] = ()
    """Stages that must be finished first although it reads nothing of theirs: gates."""
    outside: Callable[[RecipeT, Path], object] = lambda recipe, recipe_folder: None
    """What it takes from outside the run, such as the hash of the user's files."""
    keep_partial: bool = True
    """Whether a killed stage goes on with what it had written."""


@dataclass(frozen=True)
class StageContext(Generic[RecipeT]):
    """What a stage is given to work with."""

    recipe: RecipeT
    recipe_folder: Path
    folder: Path
    """Where it writes; may hold what an interrupted run of the same key left."""
    inputs: Mapping[str, Path]
    """The finished folders of the stages that it needs."""
    progress: Progress
    logs: Path
    """For what is written along the way, such as training curves; kept apart from the results."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds that each finished stage of the run took."""
    version: int = 0
    """Of the stage's code."""
    previous: Path | None = None
    """What the stage had finished under another key or from other inputs: a stage that knows what
    its files were made from may take those over that would come out the same."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """What each of the inputs' files hash to."""


@dataclass(frozen=True)
class PlannedStage:
    """One line of a run's plan."""

    stage: Stage[Any]
    key: str
    state: str
    """`finished`, `resume` or `to do`."""
    is_redone: bool = False
    """Whether the user wants it done anew: then nothing of an earlier time is taken over."""
