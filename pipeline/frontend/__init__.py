"""The callers: a page for the browser, and one that speaks from a script."""
