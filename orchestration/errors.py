"""The one kind of error that a user is meant to read."""

from orchestration.texts import printable


class InputError(Exception):
    """Bad input or a refused step: one line that names file, row, field or parameter, and what to do.

    Never carries a student identifier. The command line prints it as it is and exits with status 1. Names and values
    that it quotes come from outside, so what cannot be shown on one line stands there as an escape.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))
