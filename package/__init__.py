"""The components for programs in other languages: a Pulumi package, hosted from its source.

Belongs here: args in the shapes that a schema can say (plain blocks, lists, maps; no unions), and their way into `components`. Does not
belong here: anything that decides what is declared. Imported by nobody; run by Pulumi. Images come by reference: building one needs the
servable's folder, which is at hand where this project's own program runs.

    __main__ > model_service | serving_namespace | training > inputs
"""
