"""`bin/render --stack prod --output manifests/prod`: a stack's objects as YAML files."""

import argparse
import sys
from pathlib import Path

from render.errors import RenderError
from render.folder import write
from render.manifests import manifests
from render.preview import preview

_EPILOG = """\
examples:
  images were built with the stack before
    bin/render --stack prod --output manifests/prod
  images were built elsewhere
    bin/render --stack prod --output manifests/prod --image mnist=registry.example.com/mnist@sha256:…

No secret is ever written: a stack that holds one in an object is refused with a sentence.
"""


def main() -> int:
    """Render, and return the exit code: 0 done, 1 with one sentence on stderr."""
    arguments = _arguments()
    try:
        images = dict(_image(text) for text in arguments.image)
        found = manifests(preview(arguments.stack), images)
        write(arguments.output, found)
    except RenderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {len(found)} objects and kustomization.yaml to {arguments.output}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/render",
        description="Write a stack's objects as YAML files for GitOps.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", required=True, help="stack of this project")
    parser.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="folder for the files, and nothing else"
    )
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="OBJECT=REFERENCE",
        help="image by digest of a Deployment or Job, where the stack has not built it; may be repeated",
    )
    return parser.parse_args()


def _image(text: str) -> tuple[str, str]:
    name, _, reference = text.partition("=")
    if not name or "@sha256:" not in reference:
        raise RenderError(
            f"--image must be OBJECT=NAME@sha256:…, got {text!r}; only a digest says what will run"
        )
    return name, reference


if __name__ == "__main__":
    sys.exit(main())
