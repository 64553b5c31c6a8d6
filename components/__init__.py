"""What runs: Pulumi component resources that put one verified servable after another on Kubernetes.

Belongs here: configuration, names, images, pods, scaling, exposure; all that `pulumi preview` shows. Does not belong here: anything
that reads a model (`model_export`) or answers a request (`serving`). May import the leaves `serving.settings` and
`model_export.artifact`, and never, by any chain, TensorFlow: every preview would pay seconds for it. Imported by `__main__.py`, and
by any other Pulumi program that wants a part.

    platform > model_endpoint > track_parts > model_server | autoscaling | exposure | observability | images
    > quota | forecast | rollout_gate > takeover | rollout > pod | scaling | plan > upstream > containers > config > naming
"""
