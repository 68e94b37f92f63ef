"""Job summaries on a terminal: Markdown and the HTML of `core.summary`, laid out in lines."""

from __future__ import annotations

import io
import time
from textwrap import dedent

import pytest
from hypothesis import example, given, strategies

from windlass.cli.markdown import render_markdown
from windlass.cli.terminal import Terminal, width_of

PLAIN = Terminal(io.StringIO(), is_live=True, colour=False)
COLOURFUL = Terminal(io.StringIO(), is_live=True, colour=True)


def laid_out(text: str, columns: int = 40, terminal: Terminal = PLAIN) -> str:
    return "\n".join(render_markdown(dedent(text), columns, terminal))


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        pytest.param("# One\n###  Three ##\n", "# One\n\n### Three", id="headings"),
        pytest.param("One\n===\nTwo\n---\n", "# One\n\n## Two", id="underlined headings"),
        pytest.param("#no heading", "#no heading", id="a hash without a blank"),
        pytest.param("a\nb\n\n\nc", "a b\n\nc", id="paragraphs"),
        pytest.param("a  \nb\\\nc", "a\nb\nc", id="hard breaks"),
        pytest.param("**b** __b__ *i* _i_ ~~s~~", "b b i i s", id="emphasis"),
        pytest.param("a_b_c 2 * 3 * 4 ** 5", "a_b_c 2 * 3 * 4 ** 5", id="no emphasis"),
        pytest.param(r"\*a\* \`b\`", "*a* `b`", id="escapes"),
        pytest.param("`*a*` `` b`c ``", "*a* b`c", id="code keeps what stands in it"),
        pytest.param("[t](http://x)", "t (http://x)", id="link"),
        pytest.param('[t](http://x "title")', "t (http://x)", id="link with a title"),
        pytest.param("<http://x> [http://y](http://y)", "http://x http://y", id="bare links"),
        pytest.param("[![ci](b.svg)](http://x)", "[ci] (http://x)", id="badge"),
        pytest.param("![](a.png)", "[image]", id="image without a text"),
        pytest.param("&lt;b&gt; &amp; &copy;", "<b> & ©", id="entities"),
        pytest.param("- a\n* b\n  c\n+ d", "• a\n• b c\n• d", id="list"),
        pytest.param("- a\n  - b\n    - c\n- d", "• a\n  • b\n    • c\n• d", id="nested list"),
        pytest.param("1. a\n2) b", "1. a\n2. b", id="numbered list"),
        pytest.param("- [x] a\n- [ ] b", "[x] a\n[ ] b", id="tasks"),
        pytest.param("a\n- b", "a\n\n• b", id="a list ends a paragraph"),
        pytest.param("```py\n  a *b*\n\n<c>\n```\nd", "│   a *b*\n│\n│ <c>\n\nd", id="fenced code"),
        pytest.param("~~~\na\n", "│ a\n│", id="code that is never closed"),
        pytest.param("> a\n> > b", "│ a\n│\n│ │ b", id="quotes"),
        pytest.param("a\n\n***\n\nb", f"a\n\n{'─' * 40}\n\nb", id="rule"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_markdown(markdown: str, lines: str) -> None:
    """What GitHub's flavour of Markdown says, with marks where there are no styles.

    Source: https://github.github.com/gfm/
    """
    assert laid_out(markdown) == lines


def test_styles() -> None:
    """On a terminal emphasis, code and headings are styles and not signs."""
    assert laid_out("# *a*\n**b** `c`", terminal=COLOURFUL) == (
        "\x1b[1;4;3ma\x1b[0m\n\n\x1b[1mb\x1b[0m \x1b[36mc\x1b[0m"
    )


def test_a_table_fits() -> None:
    """Columns take what they need, long cells go on below, numbers may stand on the right."""
    table = """\
        | Name | Result | Time |
        |:-----|:------:|-----:|
        | `a|b` | **failed** for a reason that is long | 1.5 |
        | c \\| d |
        """

    assert laid_out(table, 30) == dedent(
        """\
        Name   Result             Time
        ─────  ─────────────────  ────
        a|b    failed for a        1.5
               reason that is
               long
        c | d"""
    )


def test_what_is_no_table() -> None:
    """Without a row of dashes bars are only bars."""
    assert laid_out("a | b\nc | d") == "a | b c | d"


def test_more_columns_than_fit_are_counted() -> None:
    """A table never becomes wider than the terminal."""
    wide = "|".join("abcdefghijklmnopqrst")
    lines = laid_out(f"{wide}\n{'|'.join(['-'] * 20)}\n", 20).split("\n")

    assert lines[0] == "a  b  c"
    assert lines[-1] == "(17 more columns)"


# What `core.summary` of @actions/core 1.11 writes for the calls of the same names.
TOOLKIT = (
    "<h1>Results</h1>\n"
    "<table><tr><th>File</th><th>Result</th></tr>"
    '<tr><td>a.js</td><td colspan="1">Pass | ✅</td></tr></table>\n'
    "<details><summary>More</summary>hidden</details>\n"
    "<ul><li>a</li><li>b</li></ul>\n<ol><li>c</li><li>d</li></ol>\n"
    '<pre lang="js"><code>if (a < b && c) {}</code></pre>\n'
    '<img src="x.png" alt="picture">\n<a href="http://x">link</a>\n'
    "<hr>\n<blockquote>quoted</blockquote>\n<br>\n"
)


def test_the_html_of_the_toolkit() -> None:
    """Headings, tables, details, lists, code, images, links, rules and quotes."""
    assert laid_out(TOOLKIT) == dedent(
        f"""\
        # Results

        File  Result
        ────  ─────────
        a.js  Pass | ✅

        More

        hidden

        • a
        • b

        1. c
        2. d

        │ if (a < b && c) {{}}

        [picture] link (http://x)

        {"─" * 40}

        │ quoted"""
    )


def test_tags_in_code_are_code() -> None:
    """`<b>` in backticks is no tag, an unknown tag vanishes, a comparison stays."""
    assert laid_out("`<b>` <foo x=1>y</foo> 1 < 2 <b>z</b><!-- n -->") == "<b> y 1 < 2 z"


def test_control_characters_are_harmless() -> None:
    """Nothing in a summary reaches the terminal as a code."""
    shown = laid_out("# \x1b[2J\n`\x1b]0;x\x07`\n\n```\n\x9b\u202e\n```\n| \x00 |\n|-|\n")

    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\x00"} & set(shown)


PIECES = (
    *"ab *_`~[]()<>!|#-=1.\\/\n\"'&;:漢\x1b",
    *("<td>", "</td>", "<tr>", "</tr>", "<table>", "</table>", "<ul>", "<li>", "</ul>", "<br>"),
    *("<pre>", "</pre>", "<h1>", "</h1>", "<a href='x'>", "</a>", "<details><summary>"),
    *("|-|-|\n", "```\n", "> ", "- ", "    ", "1. "),
)


@example(text="a|\\\n-|-", columns=20)
@example(text=">" + "1" * 19, columns=20)
@example(text="  " * 9 + "- a\n" + "1" * 9 + ". b", columns=20)
@example(text=">" * 9 + "a" * 50, columns=20)
@given(
    text=strategies.lists(strategies.sampled_from(PIECES), max_size=100).map("".join),
    columns=strategies.integers(min_value=20, max_value=60),
)
def test_any_text_can_be_laid_out(text: str, columns: int) -> None:
    """No text is a fault, and no line is wider than the terminal."""
    lines = list(render_markdown(text, columns, PLAIN))

    assert all(width_of(line) <= columns for line in lines)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "piece",
    [
        "`",
        "[",
        "**a",
        "<a ",
        '<a "',
        "![[",
        "[a](b",
        "<!--",
        "|",
        "> ",
        "\\",
        "*a **b ",
        "<td>",
        "`a",
    ],
)
def test_what_opens_and_never_closes_takes_no_time(piece: str) -> None:
    """A megabyte of it costs a second or so, not minutes: every search is bounded."""
    begun = time.process_time()
    list(render_markdown(piece * (1_000_000 // len(piece)), 80, PLAIN))

    assert time.process_time() - begun < 20
