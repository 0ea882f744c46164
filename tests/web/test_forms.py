"""From what was posted to a model, or to words beside each field."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import Field, field_validator

from privacy_api.errors import ApiError
from privacy_api.routes.forms import MOST_FORM, Form
from privacy_api.web.forms import Filled, FormIn, posted, read


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Asked(FormIn):
    title: str = Field(title="a title", min_length=3, max_length=10)
    colour: Colour = Field(title="a colour")
    size: Literal["s", "l"] = Field("s", title="a size")
    pupils: int = Field(0, title="the number of pupils", ge=0, le=100)
    price: Decimal = Field(Decimal(1), title="a price", gt=0, max_digits=6, decimal_places=2)
    years: list[str] = Field(title="one or more years", min_length=1, max_length=2)
    why: str = Field("", title="a reason")

    @field_validator("why")
    @classmethod
    def _no_shouting(cls, why: str) -> str:
        if why.isupper():
            raise ValueError("Write the reason in small letters")
        return why


GOOD = [("csrf", "t"), ("title", " Thing "), ("colour", "red"), ("years", "2021"), ("years", "2022")]


def filled(fields: list[tuple[str, str]]) -> Filled[Asked]:
    return read(Form(fields).values, Asked)


def test_a_good_form_is_its_model() -> None:
    form = filled([*GOOD, ("why", "a\r\nb")])
    assert form.value == Asked(title="Thing", colour=Colour.RED, years=["2021", "2022"], why="a\nb")
    assert (form.problems, form.summary(), form.error("title")) == ({}, [], None)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("title", "", "Enter a title"),
        ("title", "  ", "Enter a title"),
        ("title", "x" * 11, "Title must be 10 characters or fewer"),
        ("colour", "green", "Select a colour"),
        ("colour", "", "Select a colour"),
        ("size", "m", "Select a size"),
        ("pupils", "many", "Number of pupils must be a whole number"),
        ("pupils", "-1", "Number of pupils must be 0 or more"),
        ("pupils", "101", "Number of pupils must be 100 or less"),
        ("price", "0", "Price must be more than 0"),
        ("price", "cheap", "Price must be a number"),
        ("price", "1.234", "Price must have 2 decimal places or fewer"),
        ("why", "NOW", "Write the reason in small letters"),
        ("other", "1", "The form has no field Other"),
    ],
)
def test_what_is_wrong_is_said_as_the_design_system_does(name: str, text: str, said: str) -> None:
    form = filled([*[pair for pair in GOOD if pair[0] != name], (name, text)])
    assert form.value is None
    assert form.problems == {name: said}
    assert form.error(name) == {"text": said}
    assert form.summary() == [{"text": said, "href": f"#{name}"}]
    assert form.values[name] == text, "shown again as it was typed"


def test_problems_stand_in_the_order_of_the_form() -> None:
    form = filled([("pupils", "x"), ("why", "NOW")])
    assert list(form.problems) == ["title", "colour", "pupils", "years", "why"]
    assert form.problems["years"] == "Select one or more years"


def test_what_only_the_service_knows_is_a_problem_too() -> None:
    form = filled(GOOD).with_problem("title", "This title is taken")
    assert form.value is None
    assert form.error("title") == {"text": "This title is taken"}


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()

    @app.post("/")
    async def post(request: Request) -> dict[str, object]:
        try:
            first, again = await posted(request, Asked), await posted(request, Asked)
        except ApiError as error:
            return {"code": error.code.slug}
        assert first == again
        return {"values": dict(first.values)}

    return TestClient(app)


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"title=%ff", "application/x-www-form-urlencoded", "invalid-request"),
        (b"title=%00", "application/x-www-form-urlencoded", "invalid-request"),
        (b"title=\xe9", "application/x-www-form-urlencoded", "invalid-request"),
        (b"a=1&" * 3000, "application/x-www-form-urlencoded", "invalid-request"),
        (b"x" * (MOST_FORM + 1), "application/x-www-form-urlencoded", "too-large"),
        (b"{}", "application/json", "unsupported-media-type"),
        (b"--x", "multipart/form-data; boundary=x", "unsupported-media-type"),
        (b"", "", "unsupported-media-type"),
    ],
)
def test_what_is_no_form_is_refused(client: TestClient, body: bytes, kind: str, code: str) -> None:
    assert client.post("/", content=body, headers={"Content-Type": kind}).json() == {"code": code}


def test_a_form_is_read_as_browsers_send_it(client: TestClient) -> None:
    sent = client.post("/", data={"title": "Café & ‘co’ +1", "years": ["a", "b"]})
    assert sent.json() == {"values": {"title": "Café & ‘co’ +1", "years": ["a", "b"]}}
