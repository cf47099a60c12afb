"""Reads our admin's pages and fills in their forms as a person does."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

Typed = Mapping[str, Any]


def url_of(model: str, action: str = "index", pk: object = None) -> str:
    return reverse(f"mailing_{model}_modeladmin_{action}", args=[] if pk is None else [str(pk)])


def submit(browser: Client, url: str, typed: Typed) -> Any:
    """Open a form, change what is `typed` in it, and send all of it."""
    form = browser.get(url)
    assert form.status_code == 200
    return browser.post(url, offered(form) | dict(typed))


def refuse(browser: Client, url: str, typed: Typed, field: str, words: str = "") -> Any:
    """Assert that a form comes back as typed, with an error at `field` alone, nothing saved."""
    before = everything()
    page = submit(browser, url, typed)
    assert page.status_code == 200
    assert everything() == before
    found = errors(page)
    assert set(found) == {field}, found
    assert words in " ".join(found[field])
    still = offered(page)
    for name, value in typed.items():
        if not name.startswith("body-"):
            wanted = [_as_parsed(v) for v in (value if isinstance(value, list) else [value])]
            assert still.get(name, [""]) == wanted, name
    return page


def offered(page: Any) -> dict[str, list[str]]:
    """Return what the form on a page holds."""
    values: dict[str, list[str]] = {}
    for control in _form(page).find_all(["input", "textarea", "select"]):
        name = str(control.get("name", ""))
        if not name or name == "csrfmiddlewaretoken":
            continue
        if control.name == "select":
            chosen = control.find_all("option", selected=True)
            values.setdefault(name, []).extend(str(option["value"]) for option in chosen)
        elif control.name == "textarea":
            values.setdefault(name, []).append(control.get_text().removeprefix("\n"))
        elif control.get("type") != "checkbox" or control.has_attr("checked"):
            values.setdefault(name, []).append(str(control.get("value", "")))
    return values


def written(page: Any) -> str:
    """Return what the editor of a letter holds, as JSON."""
    body = _form(page).select_one('[data-contentpath="body"]')
    assert isinstance(body, Tag)
    stream = body.select_one("[data-w-block-arguments-value]")
    assert isinstance(stream, Tag)
    return json.dumps(
        json.loads(str(stream["data-w-block-arguments-value"]))[0], ensure_ascii=False
    )


def errors(page: Any) -> dict[str, list[str]]:
    """Return the errors that stand at each field; those at the top are under the empty name."""
    found: dict[str, list[str]] = {}
    form = _form(page)
    for place in form.select("[data-contentpath]"):
        texts = [p.get_text(strip=True) for p in place.find_all(class_="error-message")]
        for stream in place.select("[data-w-block-arguments-value]"):
            _value, *problems = json.loads(str(stream["data-w-block-arguments-value"]))
            texts += [html.unescape(text) for text in _messages(problems)]
        if texts:
            found[str(place["data-contentpath"])] = texts
    top = page.context["form"].non_field_errors()
    if top:
        assert all(html.escape(text) in page.text for text in top)
        found[""] = [str(text) for text in top]
    return found


def notices(page: Any) -> str:
    """Return what the page says about what has just been done."""
    return " ".join(
        place.get_text(" ", strip=True)
        for place in BeautifulSoup(page.text, "lxml").find_all(class_="messages")
    )


def text_of(page: Any) -> str:
    """Return the words on a page, with one blank between them."""
    content = BeautifulSoup(page.text, "lxml").find(id="main")
    assert content is not None
    return " ".join(content.get_text(" ").split())


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all our tables."""
    models = apps.get_app_config("mailing").get_models(include_auto_created=True)
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in (*models, ModelLogEntry)
    }


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Let `act` happen after a request's checks, just before it begins to write."""
    waiting = [act]

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        if waiting and sql.startswith("SAVEPOINT"):
            waiting.pop()()
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield
    assert not waiting, "nothing was written"


def _form(page: Any) -> Tag:
    forms = SoupStrainer("form", class_="ms-form")
    form = BeautifulSoup(page.text.replace("\0", ""), "lxml", parse_only=forms).find("form")
    assert isinstance(form, Tag)
    return form


def _as_parsed(value: object) -> str:
    """Return a value as a parser of HTML reads it: one kind of line end, no NUL."""
    return str(value).replace("\r\n", "\n").replace("\0", "")


def _messages(problems: Any) -> list[str]:
    if isinstance(problems, dict):
        own = [str(text) for text in problems.get("messages", ())]
        return own + [
            t for key, part in problems.items() if key != "messages" for t in _messages(part)
        ]
    if isinstance(problems, list):
        return [text for part in problems for text in _messages(part)]
    return []
