"""An application on its way through the API."""

from __future__ import annotations

from typing import Any

from privacy_api.governance.checklist import MEMBERS
from privacy_api.governance.records import camel, record_value
from privacy_api.ports.applications import Content
from tests.lib.applications import COMPLETE
from tests.lib.people import House

WHY = {"reason": "It is sound and of use."}


def begun(people: House, content: Content = COMPLETE, who: str = "ada", changes: str | None = None) -> str:
    """The address of an application that is written and not sent."""
    made = people.post(who, "/v1/applications", {"changes": changes} if changes else {}, 201)
    path: str = made["links"]["self"]
    for name in MEMBERS.values():
        value: Any = record_value(getattr(content, name))
        people.post(who, f"{path}/steps/{camel(name)}", value, method="PUT")
    return path


def sent(people: House, content: Content = COMPLETE, who: str = "ada", changes: str | None = None) -> str:
    path = begun(people, content, who, changes)
    people.post(who, f"{path}/submit")
    return path


def approved(
    people: House, content: Content = COMPLETE, who: str = "ada", changes: str | None = None, **terms: Any
) -> str:
    """The id of its project, by two people where two are wanted."""
    path = sent(people, content, who, changes)
    first = people.send("olive", "POST", f"{path}/approve", {**WHY, **terms})
    if first.status_code == 202:
        people.post("oscar", f"{first.json()['links']['self']}/approve", WHY)
    else:
        assert first.status_code == 200, first.text
    project: str = people.get("olive", path)["project"]
    return project


def key_of(people: House, project: str) -> dict[str, str]:
    """A header with a key of the project."""
    return {"Authorization": f"Bearer {people.service.services.projects.create_key(project, '', 'test')[1]}"}
