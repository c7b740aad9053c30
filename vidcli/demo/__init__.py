"""The bundled clip: 10 s, 480x270, drawn for vidcli and under its licence.

`ball-and-star.mp4`: by day a red ball rolls in from the left and stops beside a blue box; a cut at
5 s; by night a yellow star rises, and from 8 s on the word END is on screen.
"""
