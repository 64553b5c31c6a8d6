"""The page to try a model with the mouse, on a port of its own (--console_port).

Belongs here: the page's files (`page/`, plain HTML, CSS and ES modules), what they are shown (`state`), and the guard in front
of them (`site`). Does not belong here: how an answer is computed; a question from the page goes through `serving.rest` like
any other. Never on the port that clients use: who may ask a model need not see what everybody asks. Only `serving.server`
imports it.
"""

from serving.console.opening import open_site

__all__ = ["open_site"]
