"""Galleries: sounds and what became of them, rendered once, to be heard, seen and compared on a page of plain files."""
