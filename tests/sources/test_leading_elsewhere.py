"""Files that lead to others: playlists and descriptions of sessions are no videos, however they are named."""

from __future__ import annotations

import http.server
import threading
from functools import partial
from pathlib import Path

import pytest

from felicity.errors import SourceError
from felicity.sources import SourceOptions, open_source
from tests.support.media import write_gif, write_video

SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"


def playlist(target: object) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "session.sdp", "session.mp4", "cut.ffconcat", "film.mpd"])
def test_files_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    secret = write_video(tmp_path / "secret.ts", 6, codec="mpeg2video")
    text = {
        "list": playlist(secret),
        "session": SDP,
        "cut": f"ffconcat version 1.0\nfile '{secret.name}'\n",
        "film": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4">'
        f"<Representation id='1'><BaseURL>{secret}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    }[name.partition(".")[0]]
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match="cannot be read as a video"):
        open_source(tmp_path / name)
    with open_source(secret) as source:
        assert len(list(source)) == 6, "which is a video itself"


def test_animations_are_videos(tmp_path: Path) -> None:
    with open_source(write_gif(tmp_path / "a.gif", 4)) as source:
        assert len(list(source)) == 4


def test_a_playlist_of_a_server_reads_no_file_of_this_machine(tmp_path: Path) -> None:
    secret = write_video(tmp_path / "secret.ts", 6, codec="mpeg2video")
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "list.m3u8").write_text(playlist(f"file://{secret}"))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "www")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/list.m3u8"
        with open_source(address, options=SourceOptions(stall_seconds=2)) as source, pytest.raises(SourceError):
            list(source)
        server.shutdown()
