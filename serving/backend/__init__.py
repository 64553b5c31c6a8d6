"""The seam to TensorFlow: a loaded model version that can be run.

Belongs here: everything that calls TensorFlow, and the settings it is called with. Does not belong here:
requests, queues, or any knowledge of who asks. `Session` is the seam; `native` calls TensorFlow's C
library and is the one that production uses, `python` calls the public Python API, `fake` is for tests.
"""

from serving.backend.fake import FakeBackend
from serving.backend.loading import load_session
from serving.backend.seam import Loader, Runner, Session

__all__ = ["FakeBackend", "Loader", "Runner", "Session", "load_session"]
