"""Everything that can stop set-up or the cluster, each a sentence that says what to do.

    ToolchainError
    ├── MissingRequirement      something the machine lacks: Go, root, a package, disk space
    ├── UnreachableRegistry     a package registry did not answer
    ├── BuildFailed             a compiler, installer or archive tool ended with an error
    ├── NotSetUp                `bin/setup` has not been run for this checkout
    ├── PortTaken               another process listens where the cluster must
    ├── ComponentFailed         a cluster process ended or never became healthy
    └── MountedStill            a folder cannot be removed, since something is mounted below it

The command lines print the message without a trace and end with 1.
"""


class ToolchainError(Exception):
    """A failure whose message is meant for the person at the keyboard; printed without a trace."""


class MissingRequirement(ToolchainError):
    """The machine lacks something that only its owner can give it."""


class UnreachableRegistry(ToolchainError):
    """A package registry could not be reached through its ordinary client."""


class BuildFailed(ToolchainError):
    """A build or installation command ended with an error of its own."""


class NotSetUp(ToolchainError):
    """A command needs what `bin/setup` makes, and it is not there."""


class PortTaken(ToolchainError):
    """A port that the cluster needs belongs to another process."""


class ComponentFailed(ToolchainError):
    """A cluster component ended, or did not become healthy in time."""


class MountedStill(ToolchainError):
    """A folder has mounts below it that the kernel would not let go."""
