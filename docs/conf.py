"""How `make docs` makes these pages: Sphinx reads MyST Markdown, offline; the API comes from the docstrings."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # docstrings.py, outside.py, measured.py
os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "recprune"
author = "The recprune authors"
html_title = "recprune"
html_theme = "furo"
html_show_copyright = False
html_show_sphinx = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "docstrings", "outside", "measured"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3  # links to sections, as a forge makes them: page.md#a-section

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True  # as they are written, not as they print
