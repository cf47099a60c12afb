"""Addresses of the blog that are no pages."""

from django.urls import path

from blog.feeds import AtomPostsFeed, PostsFeed

urlpatterns = [
    path("feed/rss/", PostsFeed(), name="posts_rss"),
    path("feed/atom/", AtomPostsFeed(), name="posts_atom"),
]
