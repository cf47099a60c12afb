"""Log lines that stay one line, whatever is in a path or a name, and that name nobody's address."""

import logging
import re

# A mail library puts the refused address into its error, and so into a traceback.
_LOCAL_PART = re.compile(r"(?:[^\s<>()\[\]\"',:;/@]|\b'\b){1,64}@(?=\w)")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class OneLineFormatter(logging.Formatter):
    """Escape control characters in the message, and leave out the local part of addresses.

    A traceback keeps its lines; addresses in it lose their local part too.
    """

    def format(self, record: logging.LogRecord) -> str:
        return _LOCAL_PART.sub("…@", super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        line = super().formatMessage(record)
        return _CONTROL.sub(lambda found: repr(found[0])[1:-1], line)
