"""What a tool call can fail with, each in a sentence that a model can act on."""


class AgentError(Exception):
    """Base of all; `str` is what the caller reads."""


class ArgumentsError(AgentError):
    """The arguments are not what the tool takes."""


class UnreachableError(AgentError):
    """The service did not answer."""


class SettingsError(AgentError):
    """The program cannot be started like this."""
