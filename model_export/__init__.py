"""What is served: any trained TensorFlow model in, one verified, versioned servable out.

Belongs here: reading checkpoints, SavedModels, Keras files and GraphDefs; freezing; writing, verifying, describing and storing
servables. Does not belong here: anything that runs a servable (`serving`) or declares infrastructure (`components`).
The only package that may meet Python TensorFlow, and only behind `python -m model_export`: the Pulumi program imports
`model_export.ensure` and `model_export.artifact`, which never do.
"""
