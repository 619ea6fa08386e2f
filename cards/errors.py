"""What can be wrong with a model's folder."""


class CardError(Exception):
    """A `config.pbtxt` is missing or is not a card of the model contract, or files are not what it says.

    Its text is one sentence or two for the person at the terminal: what, where, what to do.
    """
