"""From the blocks that an author puts together to a letter in HTML and in plain text."""
