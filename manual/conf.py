"""Sphinx's settings. Everything is local: no font, script or picture comes from another address."""

project = "tf-serving-platform"
copyright = "Apache-2.0"  # noqa: A001 - Sphinx's own name
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "tf-serving-platform"
html_copy_source = False
html_show_sphinx = False
html_permalinks = True
pygments_style = "friendly"
pygments_dark_style = "native"
root_doc = "index"
nitpicky = True
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
myst_links_external_new_tab = False
# A record of a decision starts below its title on purpose; headings of generated help follow the program's own levels.
suppress_warnings = ["myst.header"]
