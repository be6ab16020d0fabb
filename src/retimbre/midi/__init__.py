"""MIDI: `score` reads a file, `perform` plays one into controls, `transcribe` writes controls as one, `ports` are live.

How a key press becomes pitch and loudness over time is the engine's (`engine/keyboard.c`), for files and live alike.
"""
