"""What a disc jockey does: where songs are mixed, how, and the console that sounds it without a page."""
