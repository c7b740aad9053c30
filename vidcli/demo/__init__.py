"""The bundled clips, drawn for vidcli and under its licence.

`hat-and-kite.mp4`, `cup-then-rocket.mp4`: 5 s each of the drawn world that nano knows, in
combinations kept from its training: clip 6 of `vidcli data synth --seed 5 --clips 24 --split eval
--size 360 --fps 24 --seconds 5-6 --genre one`, and clip 10 of the same with `--genre order`.

`ball-and-star.mp4`: 10 s, 480x270, and nothing that nano knows: by day a red ball rolls in from the
left and stops beside a blue box; a cut at 5 s; by night a yellow star rises, and from 8 s on the
word END is on screen.
"""

HAT_AND_KITE, CUP_THEN_ROCKET = "hat-and-kite.mp4", "cup-then-rocket.mp4"
BALL_AND_STAR = "ball-and-star.mp4"
