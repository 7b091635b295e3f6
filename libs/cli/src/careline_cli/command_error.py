"""What the command shows as one line."""


class CommandError(Exception):
    """Something that whoever runs the command can act on: the text is one line that says how."""
