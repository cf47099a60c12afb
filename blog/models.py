"""The blog: an index and its posts. Everybody may read them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import Tag, TaggedItemBase
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.images import get_image_model_string
from wagtail.models import Page, PageManager
from wagtail.query import PageQuerySet
from wagtail.search import index

from blog.blocks import PostBlock
from blog.forms import PostForm
from blog.pages import BLOG
from blog.panels import SentBackPanel
from blog.permissions import PostPermissionTester
from site_project.page_cache import ManagedCachedPageMixin

_POSTS_PER_PAGE = 9
_LONGEST_SEARCH = 200
_WORDS_PER_MINUTE = 200
_NUMBER_TO_COME = 2**31 - 1


class BlogIndexPage(ManagedCachedPageMixin, Page):
    managed_cache = BLOG

    intro = models.CharField(_("introduction"), max_length=250, blank=True)

    content_panels = [*Page.content_panels, FieldPanel("intro")]
    parent_page_types = ["home.HomePage"]
    subpage_types = ["blog.BlogPage"]
    max_count = 1
    template = "blog/blog_index_page.html"

    class Meta:
        verbose_name = _("blog")

    @property
    def shown_title(self) -> str:
        """Return the title in the reader's language, as long as it is a word that we know."""
        return gettext(self.title)

    @property
    def shown_intro(self) -> str:
        """Return the introduction likewise: that of the sample data is known in each language."""
        return gettext(self.intro) if self.intro else ""

    def posts(self) -> QuerySet[BlogPage]:
        """Return the published posts, newest first, with what a card shows."""
        return BlogPage.objects.child_of(self).public_posts()

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        posts = self.posts()
        tag = Tag.objects.filter(slug=_asked(request, "tag")).first()
        words = _asked(request, "q")
        if tag is not None:
            posts = posts.filter(tags=tag)
        if words:
            # A search backend takes neither an ordering by date nor a filter by tag; posts are few
            # enough to do both here. SQLite's index fails at a quotation mark.
            terms = words.replace('"', " ").strip()
            every: Any = self.posts().order_by()
            hits = every.search(terms) if terms else ()
            posts = posts.filter(pk__in={page.pk for page in hits})
        context.update(
            page_of_posts=Paginator(posts, _POSTS_PER_PAGE).get_page(request.GET.get("p")),
            tags=Tag.objects.filter(
                blog_taggedpost_items__content_object__in=self.posts()
            ).distinct(),
            chosen_tag=tag,
            words=words,
        )
        return context

    def is_canonical(self, request: HttpRequest, response: Any) -> bool:
        """A page that is not there is answered by the last, a tag that is not, by all posts."""
        context = response.context_data
        shown = {"p": str(context["page_of_posts"].number)}
        if context["chosen_tag"] is not None:
            shown["tag"] = context["chosen_tag"].slug
        return all(request.GET.getlist(name) == [shown.get(name)] for name in request.GET)


def _asked(request: HttpRequest, name: str) -> str:
    """Return a parameter without what no database takes."""
    return str(request.GET.get(name, "")).replace("\0", " ").strip()[:_LONGEST_SEARCH]


class TaggedPost(TaggedItemBase):
    content_object = ParentalKey(
        "blog.BlogPage", related_name="tagged_items", on_delete=models.CASCADE
    )


class BlogPageQuerySet(PageQuerySet):
    def public_posts(self) -> BlogPageQuerySet:
        """Return the posts everybody may read, newest first, with what a card shows."""
        return (
            self.live()
            .public()
            .select_related("image", "author", "owner")
            .prefetch_related("image__renditions")
            .order_by("-date", "-pk")
        )


def present_language() -> str:
    """Return the language that a new post is taken to be in: that of the screen."""
    language = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


class BlogPage(ManagedCachedPageMixin, Page):
    managed_cache = BLOG

    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default=present_language
    )
    intro = models.CharField(_("introduction"), max_length=300)
    body = StreamField(PostBlock(), verbose_name=_("body"))
    image = models.ForeignKey(
        get_image_model_string(),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("picture"),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("author"),
    )
    date = models.DateField(_("date"), default=timezone.localdate)
    tags = ClusterTaggableManager(through=TaggedPost, blank=True, verbose_name=_("tags"))

    objects = PageManager.from_queryset(BlogPageQuerySet)()

    content_panels = [
        SentBackPanel(),
        *Page.content_panels,
        FieldPanel("intro"),
        FieldPanel("image"),
        FieldPanel("body"),
        MultiFieldPanel(
            [FieldPanel("language"), FieldPanel("date"), FieldPanel("tags")],
            heading=_("Filed under"),
        ),
    ]
    search_fields = [
        *Page.search_fields,
        index.SearchField("intro"),
        index.SearchField("body"),
        index.FilterField("date"),
        index.FilterField("language"),
    ]
    base_form_class = PostForm
    parent_page_types = ["blog.BlogIndexPage"]
    subpage_types: list[str] = []
    template = "blog/blog_page.html"

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")

    @property
    def reading_minutes(self) -> int:
        # From the raw data: rendering would fetch every picture of every post in a list.
        texts = [b["value"] for b in self.body.raw_data if b["type"] in {"text", "heading"}]
        words = sum(len(strip_tags(str(text)).split()) for text in texts)
        return max(1, round(words / _WORDS_PER_MINUTE))

    @property
    def author_name(self) -> str:
        """Return who wrote it, or the service: an address of a mailbox is not for everybody."""
        author = self.author or self.owner
        return (author.get_full_name() if author else "") or settings.SITE_NAME

    @property
    def language_name(self) -> str:
        """Return in which language it is, for readers of another one; else nothing."""
        if self.language == (get_language() or "").split("-")[0]:
            return ""
        return str(self.get_language_display())

    def permissions_for_user(self, user: Any) -> PostPermissionTester:
        return PostPermissionTester(user, self)

    def headings(self) -> list[str]:
        return [block.value for block in self.body if block.block_type == "heading"]

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        posts = BlogPage.objects.sibling_of(self, inclusive=False).public_posts()
        # A preview of a post that is not saved yet has no number: it is the last of its day.
        number = self.pk or _NUMBER_TO_COME
        context.update(
            earlier=posts.filter(Q(date__lt=self.date) | Q(date=self.date, pk__lt=number)).first(),
            later=posts.filter(Q(date__gt=self.date) | Q(date=self.date, pk__gt=number)).last(),
            related=posts.filter(tags__in=self.tags.all()).distinct()[:3],
        )
        return context

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count a reader; previews do not come here, and a stored page counts for itself."""
        self.managed_cache.on_hit(request, self.kept_about())
        response: HttpResponse = super().serve(request, *args, **kwargs)
        return response

    def kept_about(self) -> int:
        pk: int = self.pk
        return pk


class Readership(models.Model):
    """How often a post was read. Not in the post, for a revision would bring its own number."""

    post = models.OneToOneField(
        BlogPage, on_delete=models.CASCADE, primary_key=True, related_name="readership"
    )
    readers = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.post_id}: {self.readers}"
