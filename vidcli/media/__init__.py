"""Videos: from a path on disk to pictures at known times. The only caller of FFmpeg.

Opening   source (what may be opened) · libav (errors, packets) · pictures (which FFmpeg decodes) ·
          ffmpeg (the program) · streams (which stream, its clock)
Telling   probe · ends (where a file really ends) · fingerprint
Choosing  plan · shots, with thumbnails, cuts and graduals · near_duplicates
Decoding  decode (instants to frames) · run (frames from one place on) · deinterlace · pixels ·
          tonemap
Apart     video (what callers open) · worker, process, worker_main, jobs, ring (the process that
          decodes) · pulse (signs of life)
Asking    features (what libraries and program can do)
Making    sheet (contact sheets) · clips (copies); baseline is for benchmarks alone

Importing `video`, `worker` or `plan` loads no native library.
"""
