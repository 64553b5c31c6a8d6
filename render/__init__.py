"""A stack's objects as YAML files, for clusters that another tool keeps in line with a git repository (Argo CD, Flux).

Belongs here: asking Pulumi what it would make, taking out what only Pulumi understands, and writing files. Does not belong here: what the
objects are; that is the program's business. Imports none of our packages, needs no cluster, and changes no state.

    __main__ > preview | folder > manifests > errors
"""
