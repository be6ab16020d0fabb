"""Instruments for other programs: one file per format, and what formats share."""
