"""What a user sees: the live page, a folder of static files that `serve` puts together and opens."""
