"""The real parts under a deployment, for machines that cannot download them.

Belongs here: building the Pulumi CLI, its plugins and a one-node Kubernetes from declared Go modules
(`modules/`), the virtual environments, the environment that `bin/` scripts run commands in, and the
life of the local cluster (`cluster/`). Does not belong: anything about models, images of the product or
Pulumi resources. Only the standard library is imported, since this code runs before any package is
installed; nobody imports it but its own command lines and tests.
"""
