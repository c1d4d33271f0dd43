"""Bare loops that read every image of a zip, decode it and throw it away: what an importer is measured against.

`python -m benchmarks.bare_decoding LOOP ZIP PROCESSES` runs one, as `benchmarks.importing` does.
"""

import io
import mmap
import struct
import subprocess
import sys
import zipfile
import zlib


def pillow(path: str, part: int, parts: int) -> int:
    """Read by zipfile, decode by Pillow."""
    import numpy as np
    from PIL import Image

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()[part::parts]
        for name in names:
            np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
    return len(names)


def simplejpeg(path: str, part: int, parts: int) -> int:
    """Read by zipfile, decode by simplejpeg."""
    from simplejpeg import decode_jpeg

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()[part::parts]
        for name in names:
            decode_jpeg(archive.read(name))
    return len(names)


def simplejpeg_mapped(path: str, part: int, parts: int) -> int:
    """List by zipfile, take the bytes from a memory map (half the cost of zipfile's own read), decode by simplejpeg."""
    from simplejpeg import decode_jpeg

    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()[part::parts]
    unpack = struct.Struct("<26xHH").unpack_from
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for info in infos:
            name, extra = unpack(data, info.header_offset)
            start = info.header_offset + 30 + name + extra
            member = data[start : start + info.compress_size]
            decode_jpeg(zlib.decompress(member, -15) if info.compress_type else member)
    return len(infos)


LOOPS = {"pillow": pillow, "simplejpeg": simplejpeg, "simplejpeg_mapped": simplejpeg_mapped}


def run(loop: str, path: str, processes: int) -> None:
    """Run a loop here, or shared by `processes` children."""
    if processes == 1:
        LOOPS[loop](path, 0, 1)
        return
    children = [
        subprocess.Popen([sys.executable, "-m", __spec__.name, loop, path, str(part), str(processes)])
        for part in range(processes)
    ]
    codes = [child.wait() for child in children]
    if any(codes):
        raise SystemExit(f"A child of the loop {loop!r} failed.")


if __name__ == "__main__":
    LOOPS[sys.argv[1]](sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
