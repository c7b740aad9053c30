"""No file makes vidcli read another one or open a socket."""

import socket
import threading
from pathlib import Path

import av
import pytest

from tests.clips import ClipCache
from vidcli.errors import MediaError
from vidcli.media import source
from vidcli.media.probe import probe
from vidcli.media.source import CONTAINERS, open_source

OPENS_OTHERS = {
    "concat", "concatf", "hls", "applehttp", "dash", "webm_dash_manifest", "imf", "sdp", "rtp",
    "rtsp", "sap", "lavfi", "vapoursynth", "avisynth", "ffmetadata", "image2", "image2pipe",
    "alias_pix", "brender_pix", "tty", "data", "fbdev", "v4l2", "video4linux2", "x11grab", "alsa",
    "oss", "kmsgrab", "xbin", "bin", "vobsub",
}  # fmt: skip


def test_no_format_that_opens_others_is_allowed():
    assert not CONTAINERS & OPENS_OTHERS


def test_every_allowed_format_exists():
    known = {name for names in av.formats_available for name in names.split(",")}
    assert known >= CONTAINERS


class Listener:
    """A local socket that counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.port = self._socket.getsockname()[1]
        self.visits = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                visitor, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.visits += 1
            visitor.close()

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()


def write_scripts(directory: Path, target: Path, port: int) -> list[Path]:
    """Files that name others, each under a video's name."""
    url = f"http://127.0.0.1:{port}/a.ts"
    texts = {
        "concat": f"ffconcat version 1.0\nfile '{target}'\n",
        "bare concat": f"file '{target}'\n",
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n",
        "hls file": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "dash": f'<?xml version="1.0"?><MPD><Period><AdaptationSet><BaseURL>{url}</BaseURL>'
        "</AdaptationSet></Period></MPD>",
        "metadata": f";FFMETADATA1\ntitle={target}\n",
    }
    paths = []
    for name, text in texts.items():
        paths.append(directory / f"{name}.mp4")
        paths[-1].write_text(text)
    return paths


def test_a_playlist_dressed_as_a_video_is_named_and_refused(clips: ClipCache, tmp_path):
    with Listener() as listener:
        for path in write_scripts(tmp_path, clips.get(duration=1), listener.port):
            with pytest.raises(MediaError, match=r"playlist|script|manifest|description|metadata"):
                probe(str(path))
    assert listener.visits == 0


def test_ffmpeg_itself_refuses_what_slips_past_the_first_look(clips, tmp_path, monkeypatch):
    monkeypatch.setattr(source, "check_source", lambda path: None)
    with Listener() as listener:
        for path in write_scripts(tmp_path, clips.get(duration=1), listener.port):
            with pytest.raises(MediaError), open_source(str(path)):
                pass
    assert listener.visits == 0


def test_the_scripts_are_real_ones(clips: ClipCache, tmp_path):
    scripts = write_scripts(tmp_path, clips.get(duration=1), 9)
    with av.open(str(scripts[0]), options={"safe": "0"}) as container:
        assert container.format.name == "concat"
        assert len(list(container.decode(video=0))) == 25
