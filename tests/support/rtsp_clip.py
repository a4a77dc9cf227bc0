"""An RTSP camera that shows raw pictures in a loop, by the wall clock: ``/usr/bin/python3 rtsp_clip.py …``.

GStreamer's RTSP server comes with the system's Python only (Debian's gir1.2-gst-rtsp-server-1.0 and python3-gi), so
this file needs no other package. Frame number n of the loop is shown at n / FPS seconds since the epoch, modulo its
length: two such cameras, or one that is started again, are at the same place of their loops. Each frame sent is a line
of SENT, the time of it.
"""

import argparse
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( appsrc name=source is-live=true do-timestamp=true format=time caps=video/x-raw,format=I420,width={width},"
    "height={height},framerate={fps}/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={fps} "
    "sliced-threads=false threads=1 bitrate=4000 ! rtph264pay name=pay0 pt=96 )"
)


class Loop:
    """The pictures of a file of I420 frames, given to a pipeline as their time comes."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        content = Path(arguments.pictures).read_bytes()
        size = arguments.width * arguments.height * 3 // 2
        self.frames = [content[at : at + size] for at in range(0, len(content), size)]
        self.fps = arguments.fps
        self.sent = Path(arguments.sent)

    def configure(self, _factory, media) -> None:
        """Feed the pipeline of a client."""
        media.get_element().get_by_name("source").connect("need-data", self.push)

    def push(self, source, _wanted) -> None:
        """Wait for the next picture's time, and push it."""
        number = int(time.time() * self.fps) + 1
        time.sleep(max(0.0, number / self.fps - time.time()))
        with self.sent.open("a") as log:
            log.write(f"{time.time():.3f}\n")
        source.emit("push-buffer", Gst.Buffer.new_wrapped(self.frames[number % len(self.frames)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", help="file of I420 pictures, one after the other")
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    parser.add_argument("fps", type=int)
    parser.add_argument("port", type=int)
    parser.add_argument("sent", help="file to which the time of each frame is added")
    arguments = parser.parse_args()
    Gst.init(None)
    loop = Loop(arguments)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(width=arguments.width, height=arguments.height, fps=arguments.fps))
    factory.set_shared(True)
    factory.connect("media-configure", loop.configure)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(arguments.port))
    server.get_mount_points().add_factory("/clip", factory)
    assert server.attach(None), "the port is taken"
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
