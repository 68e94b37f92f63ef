"""Markdown as a terminal can show it: what steps write to GITHUB_STEP_SUMMARY.

GitHub-flavoured Markdown as far as job summaries use it, and the HTML that `core.summary` of
`@actions/core` writes. Nothing here fails: what is not understood is shown as it stands.
Source: https://github.github.com/gfm/
"""

from windlass.cli.markdown.rendering import render_markdown

__all__ = ["render_markdown"]
