"""The written report: sections as users write them by hand, every statement with its evidence.

``report`` computes what each section says, one module per group of sections; the words around it
are in ``reports/templates``.
"""

from diag.render.markdown.report import render_markdown

__all__ = ["render_markdown"]
