"""The documentation site: `docs/` as pages that are searched and linked, with the pages that nobody should write by hand.

    __main__ ──> tree ──> commands | reference
                  └─────> links

Belongs here: collecting the pages, generating those about commands (from their help) and components (from their docstrings), and
building the site offline and strictly with Sphinx. Does not belong here: prose, which is in `docs/`. Nobody imports it.
"""
