"""Play any sound as any instrument, in any room."""

__version__ = "0.1.0"
