"""The admin screens of mailing: modeladmin classes on one owner-scoped base."""
