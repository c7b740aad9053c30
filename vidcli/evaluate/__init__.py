"""How well a model answers: sets of questions, replies judged, accuracy with its uncertainty.

sets          questions of a set, read and checked
replies       which option a reply means
facts         whether a caption says what is so, and nothing else
metrics       accuracy, intervals, chance, by kind of question
predictions   replies on disk, so that a run goes on where it stopped
plot          the same as a picture
moments       found moments against true ones: R1, IoU, edges, false finds
dense         timed events against those that people wrote: SODA_c, overlap in time

No model and no video is touched here; the command does that, the way `vidcli ask` does.
"""
