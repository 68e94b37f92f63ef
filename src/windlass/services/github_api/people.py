"""Users, as far as a checkout and an event know any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.plan.webhook_objects import read_login
from windlass.services.github_api.links import format_date, make_id, make_node_id

if TYPE_CHECKING:
    from windlass.git.commit_log import Person
    from windlass.services.github_api.links import Links

    Shape = dict[str, Any]


def make_user(login: str, links: Links) -> Shape:
    """Return GitHub's `simple-user`."""
    api = f"{links.api}/users/{login}"
    parts = ("followers", "subscriptions", "orgs", "repos", "received_events")
    names = {"orgs": "organizations"}
    return {
        "login": login,
        "id": make_id(login),
        "node_id": make_node_id("User", login),
        "avatar_url": f"{links.server}/{login}.png",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{links.server}/{login}",
        **{f"{names.get(part, part)}_url": f"{api}/{part}" for part in parts},
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "events_url": f"{api}/events{{/privacy}}",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


def find_user(person: Person, links: Links) -> Shape | None:
    """Return the user of an author where their address tells it; GitHub says null else, too."""
    login = read_login(person.email)
    return None if login is None else make_user(login, links)


def make_person(person: Person) -> Shape:
    """Return an author or committer as Git has them."""
    return {"name": person.name, "email": person.email, "date": format_date(person.date)}
