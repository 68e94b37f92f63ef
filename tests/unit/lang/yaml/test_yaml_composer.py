"""YAML text becomes a tree of nodes that know where they were written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from windlass.lang.yaml import MappingNode, Node, ScalarNode, SequenceNode, parse_yaml
from windlass.lang.yaml.text import MAX_CHARACTERS


def root(text: str) -> Node:
    document = parse_yaml("f.yml", text.encode())
    assert document.diagnostics == ()
    assert document.root is not None
    return document.root


def place(node: Node) -> tuple[str, str]:
    return str(node.span.start), str(node.span.end)


def problems(data: bytes | str) -> list[tuple[str, str]]:
    raw = data.encode() if isinstance(data, str) else data
    return [(one.code, str(one.span)) for one in parse_yaml("f.yml", raw).diagnostics]


def plain(node: Node) -> object:
    """The tree without positions."""
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return [(plain(key), plain(value)) for key, value in node.pairs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a", ("1:1", "1:2"), id="plain"),
        pytest.param("  'a b'", ("1:3", "1:8"), id="quotes belong to it"),
        pytest.param("# why\n\nabc # x\n", ("3:1", "3:4"), id="comments do not"),
        pytest.param("&x abc", ("1:4", "1:7"), id="an anchor does not"),
        pytest.param("!!str abc", ("1:7", "1:10"), id="a tag does not"),
        pytest.param("&x !!str # c\n  abc", ("2:3", "2:6"), id="both, and a comment"),
        pytest.param("[a, b]", ("1:1", "1:7"), id="flow list"),
        pytest.param(
            "- a\n- b\n\n# end\n", ("1:1", "2:4"), id="block list ends with its last item"
        ),
        pytest.param("a:\n  b: c\n\n\n", ("1:1", "2:7"), id="block mapping"),
        pytest.param("é: ü", ("1:1", "1:5"), id="columns are characters, not bytes"),
        pytest.param("\ufeffabc", ("1:1", "1:4"), id="a byte order mark has no place"),
    ],
)
def test_node_knows_where_it_was_written(text: str, expected: tuple[str, str]) -> None:
    """A node's span is its value alone, in characters from 1."""
    assert place(root(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a:\nb: 1", "1:3", id="after the colon"),
        pytest.param("a:  # c\nb: 1", "1:5", id="after the blanks"),
        pytest.param("a:\t  \nb: 1", "1:6", id="after a tab as well"),
        pytest.param("a: &x\nb: 1", "1:6", id="after the anchor"),
    ],
)
def test_nothing_starts_where_a_value_would(text: str, expected: str) -> None:
    """A value that was not written starts where GitHub's reader says (npm yaml)."""
    tree = root(text)
    assert isinstance(tree, MappingNode)
    assert str(tree.pairs[0][1].span.start) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: &x [1]\nb: *x", [("a", ["1"]), ("b", ["1"])], id="alias"),
        pytest.param("- &x 1\n- &x 2\n- *x", ["1", "2", "2"], id="the latest anchor counts"),
        pytest.param("{a: 1, <<: {b: 2}}", [("a", "1"), ("<<", [("b", "2")])], id="no merge key"),
        pytest.param("a: 1\na: 2", [("a", "1"), ("a", "2")], id="keys may repeat"),
        pytest.param("a: |\n  x\n   y\n", [("a", "x\n y\n")], id="literal block"),
        pytest.param("a: >-\n  x\n  y\n", [("a", "x y")], id="folded block"),
        pytest.param('"\\u0041\\t"', "A\t", id="escapes"),
    ],
)
def test_tree_is_what_was_written(text: str, expected: object) -> None:
    """Aliases are resolved; keys and values stay as they are."""
    assert plain(root(text)) == expected


def test_alias_has_the_place_of_its_anchor() -> None:
    """A repeated value is where it was defined, so that an error points there."""
    tree = root("a: &x {k: v}\nb: *x\n")
    assert isinstance(tree, MappingNode)
    assert tree.pairs[1][1] is tree.pairs[0][1]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("a: [1\n", [("yaml-syntax", "f.yml:2:1")], id="unclosed list"),
        pytest.param("a:\n\tb: 1\n", [("yaml-syntax", "f.yml:2:1")], id="tab"),
        pytest.param("a: 'x\n", [("yaml-syntax", "f.yml:2:1")], id="unclosed quote"),
        pytest.param("a: b: c", [("yaml-syntax", "f.yml:1:5")], id="two colons"),
        pytest.param("a: 1\n---\nb: 2\n", [("yaml-documents", "f.yml:2:1")], id="two documents"),
        pytest.param(
            "a: *x\nb: *y\n",
            [("yaml-unknown-alias", "f.yml:1:4"), ("yaml-unknown-alias", "f.yml:2:4")],
            id="all unknown aliases",
        ),
        pytest.param("a: &x\n  b: *x\n", [("yaml-alias-cycle", "f.yml:2:6")], id="alias cycle"),
        pytest.param(
            b"a: \x00\nb: \x07\n",
            [("yaml-character", "f.yml:1:4"), ("yaml-character", "f.yml:2:4")],
            id="all control characters",
        ),
        pytest.param(b"a: ok\nb: \xff\xfe\n", [("not-utf8", "f.yml:2:4")], id="not UTF-8"),
        pytest.param("on: push".encode("utf-16"), [("not-utf8", "f.yml:1:1")], id="UTF-16"),
        pytest.param(b"\n\na: \xff\n", [("not-utf8", "f.yml:3:4")], id="after empty lines"),
        pytest.param(b"\na: 1\nb: \x00\n", [("yaml-character", "f.yml:3:4")], id="third line"),
        pytest.param(
            b"#" * (MAX_CHARACTERS + 1), [("file-too-large", "f.yml:1:1")], id="over 1 MiB"
        ),
        pytest.param(
            b"\x7fELF\x02\x01\x01\x00", [("yaml-character", "f.yml:1:1")] * 1, id="binary"
        ),
    ],
)
def test_unreadable_text_is_refused_with_its_place(
    data: bytes | str, expected: list[tuple[str, str]]
) -> None:
    """What YAML does not allow is reported where it stands."""
    found = problems(data)
    assert found[: len(expected)] == expected
    assert len(found) == len(expected) or found[0][0] == "yaml-character"


def test_tab_is_explained() -> None:
    """The message for a tab says what to do."""
    (problem,) = parse_yaml("f.yml", b"a:\n\tb: 1\n").diagnostics
    assert problem.hint == "Indent with spaces; YAML does not allow tabs for indentation."


def test_utf16_is_explained() -> None:
    """The message for another encoding says which one was found."""
    for order in (b"\xff\xfe" + "on".encode("utf-16-le"), b"\xfe\xff" + "on".encode("utf-16-be")):
        (problem,) = parse_yaml("f.yml", order).diagnostics
        assert problem.hint == "The file is UTF-16; save it as UTF-8."


def test_many_bad_characters_are_cut_off() -> None:
    """Ten of them are enough to see what kind of file it is."""
    assert len(problems(b"\x00" * 1000)) == 10


@pytest.mark.parametrize("data", [b"", b"\n\n", b"# only a comment\n", b"---\n"], ids=repr)
def test_empty_file_has_no_root_or_an_empty_one(data: bytes) -> None:
    """An empty file is no syntax error."""
    document = parse_yaml("f.yml", data)
    assert document.diagnostics == ()
    assert document.root is None or plain(document.root) == ""


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    """Composing is not recursive; the depth is limited by the template reader."""
    assert isinstance(root("[" * 900 + "]" * 900), SequenceNode)


def test_endless_nesting_is_refused_early() -> None:
    """A file of nothing but brackets costs no more than its first thousand."""
    assert problems("[" * 500_000) == [("max-depth", "f.yml:1:1001")]


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    """No input makes the parser raise; without a diagnostic there is a tree or nothing."""
    document = parse_yaml("f.yml", data)
    assert document.root is None or not document.diagnostics


@given(st.text("ab:-[]{}&*!|>'\"#%@`,? \n\t", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Texts made of YAML's own characters neither raise nor lose their position."""
    for problem in parse_yaml("f.yml", text.encode()).diagnostics:
        assert problem.span is not None
        assert problem.span.start <= problem.span.end


@pytest.mark.parametrize(
    ("data", "message", "end", "hint"),
    [
        pytest.param(
            b"a: &x\n  b: *x\n",
            "The alias '*x' stands inside the value of its own anchor '&x'",
            "2:8",
            None,
            id="alias cycle",
        ),
        pytest.param(
            b"a: *x\n",
            "The alias '*x' refers to an anchor that has not been defined before it",
            "1:6",
            "Write '&x' before the value it shall repeat.",
            id="unknown alias",
        ),
        pytest.param(
            b"a: 1\n---\nb: 2\n",
            "The file holds several documents",
            "2:4",
            "A workflow file holds one document; remove '---' and what follows.",
            id="two documents",
        ),
        pytest.param(
            b"a: b: c",
            "The file is not valid YAML: mapping values are not allowed in this context",
            "1:6",
            None,
            id="syntax",
        ),
        pytest.param(
            b"a: [1\n",
            (
                "The file is not valid YAML: while parsing a flow sequence: did not find expected "
                "',' or ']'"
            ),
            "2:2",
            None,
            id="syntax within something",
        ),
        pytest.param(
            b"[" * 1001,
            "Maximum object depth exceeded",
            "1:1002",
            None,
            id="too deep",
        ),
        pytest.param(
            b"a: \x07\n",
            "The character U+0007 is not allowed in YAML",
            "1:5",
            'Remove it, or write it as an escape in a double-quoted string, e.g. "\\e".',
            id="control character",
        ),
        pytest.param(
            b"a: \xff\n",
            "The file is not UTF-8: the byte 0xff was found",
            "1:5",
            "Save the file as UTF-8.",
            id="not UTF-8",
        ),
        pytest.param(
            b"#" * (MAX_CHARACTERS + 1),
            f"The maximum file size of {MAX_CHARACTERS} characters has been exceeded",
            "1:2",
            f"The file has {MAX_CHARACTERS + 1} characters; split it or call a reusable workflow.",
            id="too large",
        ),
    ],
)
def test_what_is_said_of_unreadable_text(
    data: bytes, message: str, end: str, hint: str | None
) -> None:
    """The message says what was found, the span where it ends, the hint what to do."""
    document = parse_yaml("f.yml", data)
    assert document.root is None
    (problem,) = document.diagnostics
    assert problem.span is not None
    assert problem.span.path == "f.yml"
    assert (problem.message, str(problem.span.end), problem.hint) == (message, end, hint)


def test_a_file_as_large_as_github_reads_is_read() -> None:
    """The limit itself is allowed."""
    assert problems(b"#" * MAX_CHARACTERS) == []


@pytest.mark.parametrize(
    ("text", "tag", "expected"),
    [
        ("!!str 5", "tag:yaml.org,2002:str", ("1:7", "1:8")),
        ("!own 5", "!own", ("1:1", "1:7")),
        ("&x !own 5", "!own", ("1:1", "1:10")),
        ("!own", "!own", ("1:1", "1:5")),
    ],
)
def test_a_tag_is_kept(text: str, tag: str, expected: tuple[str, str]) -> None:
    """A tag that YAML does not know is what is wrong: the value starts with it."""
    node = root(text)
    assert isinstance(node, ScalarNode)
    assert (node.tag, place(node)) == (tag, expected)


def test_without_libyaml_files_are_read_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML can be built without libyaml; its own parser gives the same."""
    text = "a: &x [1, {b: c}]\nd: *x\ne: |\n  f\n"
    expected = root(text)
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert root(text) == expected
    assert problems("a: [1\n") == [("yaml-syntax", "f.yml:2:1")]


def test_values_behind_an_anchor_further_down() -> None:
    """The place of a value counts from its own line, wherever the anchor stands in the file."""
    tree = root("a: 1\nbb: &x [1]\nc: &y\n  - 2\nd: !!str   3\n")
    assert isinstance(tree, MappingNode)
    assert [place(value) for _, value in tree.pairs] == [
        ("1:4", "1:5"),
        ("2:8", "2:11"),
        ("4:3", "4:6"),
        ("5:12", "5:13"),
    ]
