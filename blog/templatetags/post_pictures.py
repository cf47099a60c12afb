"""The template tag that shows a picture of a post."""

from django import template

from blog import pictures

register = template.Library()
register.simple_tag(pictures.picture_of)
