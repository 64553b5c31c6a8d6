"""`python -m serving --model_name=NAME --model_base_path=DIR`: the server's command line."""

import logging
import os
import sys
from collections.abc import Mapping, Sequence

from serving.errors import ServingError, SettingsError
from serving.flags import parse_flags, usage

log = logging.getLogger("serving")


def main(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """The exit code: 0 after a clean shutdown, 1 when serving failed, 2 for wrong flags."""
    if {"--help", "-h"} & set(argv):
        print(usage())
        return 0
    try:
        settings, warnings = parse_flags(argv, env)
    except SettingsError as error:
        print(f"python -m serving: {error}", file=sys.stderr)
        return 2
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for warning in warnings:
        log.warning(warning)
    # Everything heavy is imported after the flags are known to be right.
    import uvloop

    async def serve() -> None:
        if settings.upstream_rest or settings.upstream_grpc:
            from serving.upstream import UpstreamServer  # needs neither TensorFlow nor a model

            await UpstreamServer(settings).run()
        else:
            from serving.server import Server

            await Server(settings).run()

    try:
        uvloop.run(serve())
    except (ServingError, OSError) as error:
        log.error("%s", error)  # noqa: TRY400 - an operator's mistake is a sentence, not a trace
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
