"""Who answers: the API layer that runs in the container, with TensorFlow Serving's interfaces.

Belongs here: transports, tensor formats, the request pipeline, the model repository and the backend
that calls TensorFlow. Does not belong here: Pulumi, Keras, training or exporting; this package imports
no sibling. `serving.settings` is the one module that other packages may import.
"""
