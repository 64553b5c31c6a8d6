"""The local cluster: one real Kubernetes node made of plain processes, for machines that have no cluster.

Belongs here: starting, watching, repairing and removing those processes and all they leave behind in
the kernel (mounts, network namespaces, control groups, packet filter rules). Everything of it on disk is
in one folder, everything in the kernel carries our name, so `down` can find it after any crash.
Does not belong: what is deployed to the cluster. Only `bin/cluster` and its tests import it.

    layout         addresses, ports, names and paths: the facts all others agree on
    certificates   one authority, a certificate for every component
    configuration  the files that components read
    components     the processes, in order, with their flags and probes
    processes      starting and ending them by pid and start time
    ports          who listens where
    network        bridge, packet filter, kernel switches
    leftovers      what killed processes leave in the kernel, and its removal
    addons         cluster DNS and metrics as Services
    images         what the cluster's registry must hold
    state          the record of what was started
    life           up, down, status: composes the above
"""
