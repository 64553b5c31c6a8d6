"""The vocabulary of TensorFlow's graph protobufs: references, reachability, calling functions, attributes without meaning.

Belongs here: questions about GraphDefs that freezing, canonical spelling and optimising all ask. Pure functions on protobufs that
run no graph. Does not belong here: changing what a graph computes.
"""
