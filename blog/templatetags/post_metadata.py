"""Template tags for what search engines and messengers are told about a post."""

from django import template

from blog import metadata

register = template.Library()
register.simple_tag(metadata.preview_picture)
register.simple_tag(metadata.structured_data)
