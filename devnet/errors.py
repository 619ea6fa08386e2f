"""What can go wrong with the local chains."""


class DevnetError(Exception):
    """The chains cannot be installed or started, or one has ended; the message says what to do."""


class RpcError(DevnetError):
    """A chain answered a call with an error."""
