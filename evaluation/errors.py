"""What can be wrong with a set of pictures to judge a model by."""


class EvaluationError(Exception):
    """A set of pictures, one of its masks, or an alpha held against it cannot be used.

    Its text is a sentence or two for the person at the terminal: what, where, what to do.
    """
