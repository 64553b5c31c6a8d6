"""A model image on a Docker host, and a client in a container of its own that asks it by the name `serving`."""

import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components.docker_host import ClientArgs, DockerHost, DockerHostArgs
from serving.settings import ServingSettings

# `examples/mnist/client.py` and its held-out images, in an image of your own.
QUESTIONS = ("python3", "client.py", "--url", "http://serving:8501", "--examples", "heldout.npz")

config = pulumi.Config()
model = config.get("model") or "mnist"
client = config.get("clientImage")
host = DockerHost(
    "host",
    DockerHostArgs(
        model=model,
        image=config.require("image"),
        settings=ServingSettings(model_name=model, model_base_path=f"/models/{model}"),
        client=ClientArgs(image=client, command=QUESTIONS) if client else None,
    ),
)

pulumi.export("network", host.network)
pulumi.export("rest_url", host.rest_url)
pulumi.export("grpc_target", host.grpc_target)
