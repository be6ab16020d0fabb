"""Playing as it sounds: the whole line in blocks, from a microphone or a keyboard (`engine/live.c`)."""
