"""Playing as it sounds: the whole line in blocks, from a microphone or a keyboard (`engine/live.c`).

- `stream`: the line, whatever gives it its blocks; `playback`: a file through it; `bench`: how late, how heavy it is.
- `devices`, `connection`: sound cards, opened, watched, and found again; `host`: what runs in their audio thread.
- `performance`: the loop around it, with `desk` (what keys do), `keys`, `display`, `recorder`.
- `timing`, `priority`: how long blocks take, and who goes first.
"""
