"""Names that meet: two models, or a model and what another one has beside it, that would be one object of the namespace.

Every object is named after its model, and what a model has beside itself by a suffix. A second object of a name is refused by the API server,
halfway through an update.
"""

from collections.abc import Iterator

from components import naming
from components.config.model_sections import ServedModel
from components.errors import ConfigError


def check_names(models: tuple[ServedModel, ...]) -> None:
    """Raise ConfigError for the first two objects, or images, that would have the same name."""
    owners = {naming.DENY_ALL: "the policy that closes the namespace"}
    images: dict[str, str] = {}
    for served in models:
        name = served.model.name
        for taken, what in _names(served):
            if taken in owners:
                raise ConfigError(
                    f"model {name}: its {what} would be called {taken}, as {owners[taken]} is; rename the model"
                )
            owners[taken] = f"the {what} of model {name}"
        image = naming.repository(name)
        if image in images:
            raise ConfigError(
                f"models {images[image]} and {name} would both push models/{image}, because a registry knows no capitals; rename one"
            )
        images[image] = name


def _names(served: ServedModel) -> Iterator[tuple[str, str]]:
    instance = naming.dns_label(served.model.name)
    yield instance, "Deployment"
    if served.server.console_node_port:
        yield naming.console(instance), "console"
    if served.delivery.mode == "init-fetch":
        yield naming.outward(instance), "way to the repository"
