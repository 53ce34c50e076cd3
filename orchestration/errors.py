"""The one kind of error that a user is meant to read."""


class InputError(Exception):
    """Bad input or a refused step: one line that names file, row, field or parameter, and what to do.

    Never carries a student identifier. The command line prints it as it is and exits with status 1.
    """
