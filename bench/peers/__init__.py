"""The servers that ours is compared with, each written as its framework's own documentation would write it.

Belongs here: one program per file, started by `bench.servers` with the Python of the peer's own environment and this
folder on its path. Does not belong here: anything that the bench itself imports, and any trick that a careful user of
the framework would not know. All of them call TensorFlow through `tensorflow_call`, the quickest call there is, so a
ratio compares what is around the model and never the model. The environment variables PORT and MODEL_FOLDER say where
to listen and what to serve.
"""
