"""A mail catcher for development: an SMTP server that keeps letters, and pages to read them."""
