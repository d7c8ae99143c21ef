"""The stages that make the model: data set, users, baselines, teacher, soft labels, students."""

from compress.stages.next_item.dataset import STAGES as DATASET
from compress.stages.next_item.student import STAGES as STUDENT
from compress.stages.next_item.teacher import STAGES as TEACHER
from compress.stages.next_item.user_groups import USER_GROUPS

_DATASET, *_READ_OF_IT = DATASET

STAGES = (_DATASET, USER_GROUPS, *_READ_OF_IT, *TEACHER, *STUDENT)

__all__ = ["STAGES"]
