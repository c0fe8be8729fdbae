"""What went wrong in a person's own file."""


class OwnError(Exception):
    """What is wrong with the file, and in which line: a whole sentence."""
