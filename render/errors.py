"""RenderError: what keeps a stack from being rendered, as a sentence with what to do next."""


class RenderError(Exception):
    """A stack that cannot be rendered: expected, received, what to do."""
