"""What bloggers may do to their own posts beyond what Wagtail's permissions can say."""

from __future__ import annotations

from wagtail.models import PagePermissionTester


class PostPermissionTester(PagePermissionTester):
    """Lets writers take back what is theirs, also once everybody can read it.

    Wagtail asks for the right to publish, which would let them publish as well.
    """

    def can_delete(self, ignore_bulk: bool = False) -> bool:
        return bool(super().can_delete(ignore_bulk)) or self._may_take_back()

    def can_unpublish(self) -> bool:
        if super().can_unpublish():
            return True
        # A review or a date ahead locks the text, but need not keep it where everybody reads it.
        locked = self.page.locked and not self.user_has_lock()
        return self.page.live and not locked and self._may_take_back()

    def can_move(self) -> bool:
        """Say whether it may stand elsewhere, which is no way of taking it back."""
        return bool(super().can_delete(ignore_bulk=True))

    def _may_take_back(self) -> bool:
        """Say whether the post belongs to this person, who may (still) write posts."""
        return self._may_write() and self.page.owner_id == self.user.pk

    def _may_write(self) -> bool:
        return bool(self.user.is_active) and (self.user.is_superuser or "add" in self.permissions)
