"""The rules of the cache: who sees which scope, which cache a key finds, what is evicted.

Expected values are the examples of GitHub's page on dependency caching, and what its client checks.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.services.caches.access import CacheAccess, find_access
from windlass.services.caches.eviction import DAY, CacheLimits, Eviction, Usage, choose_evicted
from windlass.services.caches.keys import (
    Candidate,
    choose_cache,
    find_fault_of_key,
    find_fault_of_keys,
    find_fault_of_version,
)

REPOSITORY = "octo-org/octo-repo"
DEFAULT: dict[str, Any] = {"repository": {"default_branch": "main"}}


def pull_request(head: str = REPOSITORY, **github: Any) -> dict[str, Any]:
    return {
        "repository": REPOSITORY,
        "ref": "refs/pull/7/merge",
        "head_ref": "feature-b",
        "base_ref": "feature-a",
        "event": {**DEFAULT, "pull_request": {"head": {"repo": {"full_name": head}}}},
        **github,
    }


@pytest.mark.parametrize(
    ("github", "scopes"),
    [
        pytest.param({"ref": "refs/heads/main"}, ["refs/heads/main"], id="default-branch"),
        pytest.param(
            {"ref": "refs/heads/a"}, ["refs/heads/a", "refs/heads/main"], id="other-branch"
        ),
        pytest.param(
            {"ref": "refs/tags/v1"}, ["refs/tags/v1", "refs/heads/main"], id="tag-and-default"
        ),
        pytest.param(
            pull_request(),
            [
                "refs/pull/7/merge",
                "refs/heads/feature-b",
                "refs/heads/feature-a",
                "refs/heads/main",
            ],
            id="pull-request-own-head-base-default",
        ),
        pytest.param(
            pull_request(base_ref="main"),
            ["refs/pull/7/merge", "refs/heads/feature-b", "refs/heads/main"],
            id="pull-request-to-the-default-branch",
        ),
        pytest.param(
            pull_request("stranger/octo-repo", head_ref="main"),
            ["refs/pull/7/merge", "refs/heads/feature-a", "refs/heads/main"],
            id="fork-names-a-branch-that-is-not-ours",
        ),
        pytest.param(
            pull_request(ref="refs/heads/feature-a"),
            ["refs/heads/feature-a", "refs/heads/main"],
            id="pull-request-target-runs-for-the-base",
        ),
        pytest.param({"ref": ""}, ["refs/heads/main"], id="no-ref"),
        pytest.param({"ref": "", "event": {}}, ["refs/none"], id="nothing-known"),
        pytest.param({"ref": "refs/heads/a", "event": None}, ["refs/heads/a"], id="no-payload"),
        pytest.param({"ref": "0" * 40}, ["0" * 40, "refs/heads/main"], id="detached-head"),
    ],
)
@pytest.mark.requirement("A21")
def test_scopes(github: dict[str, Any], scopes: list[str]) -> None:
    """A run reads its own ref, then its pull request's branches, then the default branch."""
    assert list(find_access({"event": DEFAULT, **github}).scopes) == scopes


def test_access_claim() -> None:
    """A token says what its job may do: 3 is to read and write, 1 to read."""
    claim = CacheAccess(("refs/heads/a", "refs/heads/main")).to_claim()
    assert json.loads(claim) == [
        {"Scope": "refs/heads/a", "Permission": 3},
        {"Scope": "refs/heads/main", "Permission": 1},
    ]


def make(text: str) -> list[Candidate]:
    """Read `scope:key` words; each is newer than those before it."""
    pairs = [word.partition(":") for word in text.split()]
    return [
        Candidate(id=number, scope=scope, key=key, created=float(number))
        for number, (scope, _, key) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("there", "keys", "found"),
    [
        pytest.param("f:npm-1 f:npm-2", "npm-1", "f:npm-1", id="exact"),
        pytest.param("f:npm-12 f:npm-1 f:npm-123", "npm-1", "f:npm-1", id="exact-before-newer"),
        pytest.param("f:npm-fd f:npm-a9", "npm-", "f:npm-a9", id="prefix-finds-the-newest"),
        pytest.param("f:npm-1-x", "npm-1", "f:npm-1-x", id="first-key-is-a-prefix-too"),
        pytest.param("f:npm-1 f:npm-f-1", "npm-f-2 npm-f- npm-", "f:npm-f-1", id="keys-in-order"),
        pytest.param("f:npm-old m:npm-new", "npm-new npm-", "f:npm-old", id="own-scope-first"),
        pytest.param("m:npm-new", "npm-new npm-", "m:npm-new", id="then-the-default-branch"),
        pytest.param("s:npm-new", "npm-new npm-", None, id="sibling-stays-out-of-reach"),
        pytest.param("f:npm-1", "NPM-1", None, id="case-counts"),
        pytest.param("f:npm-1", "npm-12", None, id="a-longer-key-finds-no-shorter-one"),
        pytest.param("f:a%b f:aXb", "a%", "f:a%b", id="no-wildcards"),
        pytest.param("", "npm-", None, id="nothing-there"),
    ],
)
@pytest.mark.requirement("A21")
def test_search(there: str, keys: str, found: str | None) -> None:
    """Scopes are searched in order, each by all keys: the exact one, else the newest with it."""
    match = choose_cache(make(there), keys.split(), ("f", "m"))
    assert (match and f"{match.scope}:{match.key}") == found


words = st.text("ab-", min_size=1, max_size=4)
candidates = st.lists(st.tuples(st.sampled_from("fms"), words), max_size=12).map(
    lambda pairs: make(" ".join(f"{scope}:{key}" for scope, key in pairs))
)


@given(there=candidates, keys=st.lists(words, min_size=1, max_size=4), data=st.data())
def test_search_is_independent_of_the_order_of_entries(
    there: list[Candidate], keys: list[str], data: st.DataObject
) -> None:
    """What is found begins with a key and is in reach, however the index orders its rows."""
    unique = list({(it.scope, it.key): it for it in there}.values())
    match = choose_cache(unique, keys, ("f", "m"))
    assert match == choose_cache(data.draw(st.permutations(unique)), keys, ("f", "m"))
    reachable = [it for it in unique if it.scope in "fm"]
    hits = [it for it in reachable if any(it.key.startswith(key) for key in keys)]
    assert (match is None) == (not hits)
    assert match is None or match in hits
    own = [it for it in hits if it.scope == "f"]
    assert not own or (match is not None and match.scope == "f")


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("a" * 512, None),
        ("😀" * 256, None),
        ("é–你", None),
        ("a" * 513, f"Key Validation Error: {'a' * 513} cannot be larger than 512 characters."),
        ("😀" * 257, f"Key Validation Error: {'😀' * 257} cannot be larger than 512 characters."),
        ("a,b", "Key Validation Error: a,b cannot contain commas."),
        ("a\nb", r"Key Validation Error: 'a\nb' cannot contain control characters."),
        ("", "Key Validation Error: the key is empty."),
    ],
    ids=["512", "512-units", "letters", "513", "514-units", "comma", "line-break", "empty"],
)
def test_keys_that_are_refused(key: str, fault: str | None) -> None:
    """The server refuses what GitHub's client refuses, by the same words."""
    assert find_fault_of_key(key) == fault
    assert find_fault_of_keys(["ok", key]) == fault


def test_lists_of_keys_that_are_refused() -> None:
    """One to ten keys are searched for at once."""
    assert find_fault_of_keys(["a"] * 10) is None
    assert find_fault_of_keys(["a"] * 11) == (
        "Key Validation Error: Keys are limited to a maximum of 10."
    )
    assert find_fault_of_keys([]) == "Key Validation Error: at least one key is required."


@pytest.mark.parametrize("version", ["", "a/b", "../x", "é", "a" * 513])
def test_versions_that_are_refused(version: str) -> None:
    """A version is a hash."""
    assert find_fault_of_version(version) is not None
    assert find_fault_of_version("0" * 64) is None


LIMITS = CacheLimits(bytes=100, days=7)


@pytest.mark.parametrize(
    ("usages", "gone"),
    [
        pytest.param([(60, 0), (40, 1)], [], id="all-fit"),
        pytest.param([(60, 0), (41, 1)], [0], id="the-least-recently-used-goes"),
        pytest.param([(60, 1), (41, 0)], [1], id="by-use-not-by-number"),
        pytest.param([(1, 0), (60, 1), (60, 2)], [0, 1], id="older-ones-go-before-newer-ones"),
        pytest.param([(1, -7.0)], [], id="unused-for-seven-days"),
        pytest.param([(1, -7.01), (1, 0)], [0], id="unused-for-longer"),
        pytest.param([(101, 0)], [0], id="larger-than-everything"),
        pytest.param([], [], id="nothing-there"),
    ],
)
@pytest.mark.requirement("A21")
def test_eviction(usages: list[tuple[int, float]], gone: list[int]) -> None:
    """Caches go that were unused for over 7 days, then the least recently used beyond the limit."""
    there = [Usage(number, size, days * DAY) for number, (size, days) in enumerate(usages)]
    assert [it.id for it in choose_evicted(there, now=0, limits=LIMITS)] == gone


def test_eviction_says_why() -> None:
    """Each eviction carries its reason."""
    there = [Usage(1, 80, -8 * DAY), Usage(2, 90, -2), Usage(3, 20, -1)]
    assert choose_evicted(there, 0, LIMITS) == [
        Eviction(1, 80, "unused for over 7 days"),
        Eviction(2, 90, "the least recently used, beyond 100 bytes"),
    ]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(-10, 0)), max_size=10))
def test_eviction_leaves_the_most_recent_that_fit(pairs: list[tuple[int, int]]) -> None:
    """What stays fits, was used later than whatever went, and one more would not fit."""
    there = [Usage(number, size, days * DAY) for number, (size, days) in enumerate(pairs)]
    gone = choose_evicted(there, 0, LIMITS)
    ids = {it.id for it in gone}
    kept = [it for it in there if it.id not in ids]
    assert sum(it.size for it in kept) <= LIMITS.bytes
    assert all(-it.used <= 7 * DAY for it in kept)
    fresh = [it for it in there if it.id in ids and -it.used <= 7 * DAY]
    assert all(it.used <= other.used for it in fresh for other in kept)
    if fresh:
        last = max(fresh, key=lambda it: (it.used, it.id))
        assert sum(it.size for it in kept) + last.size > LIMITS.bytes
