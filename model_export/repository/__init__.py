"""The model repository: where finished versions stand between training, deployment and serving.

Belongs here: the one interface (`ModelRepository`), its homes (a folder, S3), what keeps a version whole on its way in and out, and
archives of versions. Does not belong here: making servables, or deciding which version a stack serves. Training hands over through
this interface only. Reached by the command line, the pre-deploy step and the loader in the pod; boto3 is imported when an `s3://`
address is opened, not before.

A repository is one model's base path, as TensorFlow Serving has it: rising integers below it, each a version that never changes.
"""

from model_export.repository.interface import ModelRepository, Progress
from model_export.repository.opening import open_repository

__all__ = ["ModelRepository", "Progress", "open_repository"]
