"""The served models that the serving tests share."""

from tests.serving.conftest import models

__all__ = ["models"]
