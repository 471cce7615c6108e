# SPDX-License-Identifier: MIT
"""golden_png.py IN.npy INDEX OUT.png: writes image INDEX of a uint8 array [n, height, width, 3] as PNG."""
import ast
import struct
import sys
import zlib

path, index, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
data = open(path, "rb").read()
start = 10 + struct.unpack("<H", data[8:10])[0]
header = ast.literal_eval(data[10:start].decode())
count, height, width, channels = header["shape"]
assert header["descr"] == "|u1" and channels == 3 and 0 <= index < count, header
size = height * width * 3
pixels = data[start + index * size : start + (index + 1) * size]
rows = b"".join(b"\0" + pixels[y * width * 3 : (y + 1) * width * 3] for y in range(height))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


with open(out, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
    file.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
