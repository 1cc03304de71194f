"""A mistake of whoever asks, told apart from a mistake of this program."""


class Refused(ValueError):
    """What was asked for cannot be. The message is a sentence that names the value and the remedy, for people.

    Only this is shown as somebody's mistake, on the page and on the command line; any other error is a defect.
    """
