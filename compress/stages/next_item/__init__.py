"""The stages that make the model: data set, baselines, teacher, soft labels, students."""

from compress.stages.next_item.dataset import STAGES as DATASET
from compress.stages.next_item.student import STAGES as STUDENT
from compress.stages.next_item.teacher import STAGES as TEACHER

STAGES = (*DATASET, *TEACHER, *STUDENT)

__all__ = ["STAGES"]
