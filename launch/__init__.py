"""What `bin/up`, `bin/status`, `bin/rollback` and `bin/down` do: from a bare machine to a model that answers, a look at it, and back.

Belongs here: the order of the steps, their progress and seconds, and the questions asked at the end. Does not belong here: how any
step is done; each is a command of its own (`bin/setup`, `bin/cluster`, `examples/mnist/train.py`, `bin/pulumi up`, the client)
that a user can type alone. Standard library only, because it runs before any virtual environment exists; the one exception is
`status.screen`.
"""
