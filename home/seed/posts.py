"""Puts the sample posts into the blog: published, in draft, and waiting for a manager."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext_noop
from wagtail.images.models import AbstractImage
from wagtail.log_actions import log
from wagtail.models import Page, Revision, TaskState, WorkflowState

from accounts.models import User
from blog.models import BlogIndexPage, BlogPage
from home.seed import post_texts, post_texts_ru
from home.seed.drawing import Picture
from home.seed.gallery import ensure_image
from home.seed.owners import Cast
from home.seed.post_texts import Post

_INTRO = gettext_noop("Notes on sending letters people are glad to get.")
_REVIEWED_AFTER = timedelta(hours=5)


def ensure_posts(cast: Cast, now: datetime) -> None:
    """Make the posts whose address is still free below the blog."""
    index = BlogIndexPage.objects.get()
    BlogIndexPage.objects.filter(pk=index.pk, intro="").update(intro=_INTRO)
    published = sorted((*post_texts.POSTS, *post_texts_ru.POSTS), key=lambda p: -p.days_ago)
    for post in (*published, post_texts.DRAFT, post_texts.SUBMITTED):
        if Page.objects.child_of(index).filter(slug=post.slug).exists():
            continue
        images = _draw(post, cast.blogger)
        written_at = _morning(now) - timedelta(days=post.days_ago)
        with transaction.atomic():
            page = _write(post, images, author=cast.blogger, at=written_at)
            if post is post_texts.SUBMITTED:
                _submit(page, by=cast.blogger, at=written_at + timedelta(minutes=40))
            elif post is not post_texts.DRAFT:
                _publish(page, by=cast.manager, at=written_at + _REVIEWED_AFTER)


def _morning(now: datetime) -> datetime:
    return now.replace(hour=7, minute=30, second=0, microsecond=0)


def _draw(post: Post, owner: User) -> dict[str, AbstractImage]:
    pictures = [post.picture]
    pictures += [value[0] for _, value in post.parts if isinstance(value[0], Picture)]
    return {p.title: ensure_image(p, collection="blog", owner=owner) for p in pictures}


def _write(post: Post, images: dict[str, AbstractImage], *, author: User, at: datetime) -> BlogPage:
    """Make an unpublished page with one revision, as its author leaves it."""
    page = BlogPage(
        title=post.title,
        slug=post.slug,
        language="ru" if post in post_texts_ru.POSTS else "en",
        intro=post.intro,
        image=images[post.picture.title],
        body=json.dumps([_block(kind, value, images) for kind, value in post.parts]),
        author=author,
        owner=author,
        date=at.date(),
        live=False,
    )
    BlogIndexPage.objects.get().add_child(instance=page)
    page.tags.add(*post.tags)
    page.save()
    log(instance=page, action="wagtail.create", user=author, timestamp=at)
    revision = page.save_revision(user=author)
    _back_date(page, revision, at)
    return page


def _back_date(page: BlogPage, revision: Revision, at: datetime) -> None:
    Revision.objects.filter(pk=revision.pk).update(created_at=at)
    Page.objects.filter(pk=page.pk).update(latest_revision_created_at=at)
    page.latest_revision_created_at = at


def _block(kind: str, value: Any, images: dict[str, AbstractImage]) -> dict[str, Any]:
    if kind == "picture":
        picture, caption = value
        image = {
            "image": images[picture.title].pk,
            "alt_text": picture.description,
            "decorative": False,
        }
        value = {"picture": image, "caption": caption}
    elif kind == "quote":
        value = {"text": value[0], "source": value[1]}
    return {"type": kind, "value": value}


def _publish(page: BlogPage, *, by: User, at: datetime) -> None:
    revision = page.latest_revision
    revision.publish(user=by, log_action=False)
    log(instance=page, action="wagtail.publish", user=by, revision=revision, timestamp=at)
    Page.objects.filter(pk=page.pk).update(first_published_at=at, last_published_at=at)


def _submit(page: BlogPage, *, by: User, at: datetime) -> None:
    """Put the page before the managers, as `Workflow.start` does.

    That would also mail every manager, at a moment when no mail server need be there.
    """
    workflow, revision = page.get_workflow(), page.latest_revision
    task = workflow.tasks[0]
    state = WorkflowState.objects.create(
        content_type=ContentType.objects.get_for_model(BlogPage),
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id=str(page.pk),
        workflow=workflow,
        requested_by=by,
    )
    task_state = TaskState.objects.create(workflow_state=state, task=task, revision=revision)
    state.current_task_state = task_state
    state.save(update_fields=["current_task_state"])
    WorkflowState.objects.filter(pk=state.pk).update(created_at=at)
    TaskState.objects.filter(pk=task_state.pk).update(started_at=at)
    following = {"id": task.pk, "title": task.name}
    data = {
        "id": workflow.pk,
        "title": workflow.name,
        "status": state.status,
        "next": following,
        "task_state_id": task_state.pk,
    }
    log(
        instance=page,
        action="wagtail.workflow.start",
        user=by,
        revision=revision,
        data={"workflow": data},
        timestamp=at,
    )
