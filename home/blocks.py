"""The building blocks of the front page. Figures and posts stand between them by themselves."""

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

PICTURES = (
    ("sending", _("A mailing that is being sent")),
    ("dates", _("The next dates of a mailing")),
    ("results", _("What became of each letter")),
    ("message", _("A message and its preview")),
)
"""Screenshots of the product, which `make screenshots` takes anew."""

ICONS = (
    ("shield-check", _("Shield")),
    ("bell-off", _("Bell")),
    ("send", _("Paper plane")),
    ("eye", _("Eye")),
    ("languages", _("Languages")),
    ("house", _("House")),
)


class ProductPictureBlock(blocks.StructBlock):
    name = blocks.ChoiceBlock(choices=PICTURES, label=_("Screenshot"))
    description = blocks.CharBlock(label=_("What it shows"), max_length=200)

    class Meta:
        icon = "image"
        label = _("Screenshot")
        template = "home/blocks/picture.html"


class OpeningBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("Title"), max_length=100)
    lead = blocks.TextBlock(label=_("Introduction"), max_length=400)
    note = blocks.CharBlock(label=_("Note below the buttons"), required=False, max_length=150)
    picture = ProductPictureBlock()

    class Meta:
        icon = "title"
        label = _("Opening")
        template = "home/blocks/opening.html"


class FeatureBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("Title"), max_length=100)
    text = blocks.TextBlock(label=_("Text"), max_length=600)
    points = blocks.ListBlock(blocks.CharBlock(label=_("Point"), max_length=150), label=_("Points"))
    picture = ProductPictureBlock()

    class Meta:
        icon = "doc-full"
        label = _("Feature")
        template = "home/blocks/feature.html"


class FactBlock(blocks.StructBlock):
    icon = blocks.ChoiceBlock(choices=ICONS, label=_("Icon"))
    title = blocks.CharBlock(label=_("Title"), max_length=100)
    text = blocks.TextBlock(label=_("Text"), max_length=300)


class FactsBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("Title"), max_length=100)
    facts = blocks.ListBlock(FactBlock(label=_("Fact")), label=_("Facts"))

    class Meta:
        icon = "list-ul"
        label = _("Facts")
        template = "home/blocks/facts.html"


class InvitationBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("Title"), max_length=100)
    text = blocks.TextBlock(label=_("Text"), max_length=300)

    class Meta:
        icon = "arrow-right"
        label = _("Invitation")
        template = "home/blocks/invitation.html"


class FrontBlock(blocks.StreamBlock):
    opening = OpeningBlock()
    feature = FeatureBlock()
    facts = FactsBlock()
    invitation = InvitationBlock()

    class Meta:
        block_counts = {
            "opening": {"min_num": 1, "max_num": 1},
            "invitation": {"max_num": 1},
        }
