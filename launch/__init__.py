"""What `bin/up` and `bin/down` do, step by step: from a bare machine to a model that answers, and back.

Belongs here: the order of the steps, their progress and seconds, and the questions asked at the end. Does not belong here: how any
step is done; each is a command of its own (`bin/setup`, `bin/cluster`, `examples/mnist/train.py`, `bin/pulumi up`, the client)
that a user can type alone. Standard library only: it runs before any virtual environment exists.
"""
