import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
data = b"sandpool " * 10_000
for module in (gzip, bz2, lzma, zlib):
    assert module.decompress(module.compress(data)) == data
with zipfile.ZipFile("/mnt/data/a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("inside/x.txt", data)
with zipfile.ZipFile("/mnt/data/a.zip") as archive:
    assert archive.testzip() is None
    archive.extractall("/mnt/data/out")
assert open("/mnt/data/out/inside/x.txt", "rb").read() == data
with tarfile.open("/mnt/data/a.tar.xz", "w:xz") as archive:
    archive.add("/mnt/data/out", "out")
with tarfile.open("/mnt/data/a.tar.xz") as archive:
    archive.extractall("/mnt/data/tar")
assert open("/mnt/data/tar/out/inside/x.txt", "rb").read() == data
