"""The stages that make a model that reads text: data, pieces, teacher, soft labels, students."""

from compress.stages.text.dataset import STAGES as DATASET
from compress.stages.text.student import STAGES as STUDENT
from compress.stages.text.teacher import STAGES as TEACHER

STAGES = (*DATASET, *TEACHER, *STUDENT)

__all__ = ["STAGES"]
