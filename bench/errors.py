"""What can stop a measurement, each a sentence that says what to do.

BenchError
├── MissingTool       a load generator, a core or an environment that this machine lacks
├── ServerFailed      a server ended, or gave no right answer in time
├── WrongAnswer       a server answered with other numbers than the model
└── LoadFailed        a load generator ended with an error, or too few requests were answered
"""


class BenchError(Exception):
    """A measurement that cannot be had; the message is the reason that the report prints."""


class MissingTool(BenchError):
    """The machine lacks what the measurement needs."""


class ServerFailed(BenchError):
    """A server did not come up, or did not stay up."""


class WrongAnswer(BenchError):
    """A server is up and wrong: its speed means nothing."""


class LoadFailed(BenchError):
    """The load could not be given, or was not answered."""
