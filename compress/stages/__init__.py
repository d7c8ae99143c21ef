"""The stages that make the model: data set, baselines, teacher, soft labels, students."""

from compress.stages.dataset import STAGES as DATASET
from compress.stages.student import STAGES as STUDENT
from compress.stages.teacher import STAGES as TEACHER

STAGES = (*DATASET, *TEACHER, *STUDENT)

__all__ = ["STAGES"]
