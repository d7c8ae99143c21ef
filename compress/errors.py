"""The errors that a person, not a programmer, has to act on.

Every message says what is wrong, where (file, row, column or key) and what to do. The command line
prints the message without a traceback and exits with `exit_code`.
"""


class UserError(Exception):
    """Something the user gave is wrong: exit code 2."""

    exit_code = 2


class RecipeError(UserError):
    """A recipe file cannot be used; the message lists *all* of its faults, each with its line."""


class DataError(UserError):
    """The user's tables cannot be used; the message names the file, the row and the column."""


class DownloadError(UserError):
    """A data set or a pretrained model could not be fetched or is not what its checksum says."""


class MissingExtraError(UserError):
    """An optional package is needed here; the message says which extra installs it."""


class RunError(UserError):
    """A run folder cannot be used as asked: locked, incomplete, or of another recipe."""


class CheckFailed(UserError):
    """A budget or a check was not met: exit code 1. What was made is kept and says so."""

    exit_code = 1
