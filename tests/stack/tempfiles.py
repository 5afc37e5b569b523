import os
import shutil
import tempfile
from pathlib import Path
with tempfile.TemporaryFile() as file:
    file.write(b"x")
    file.seek(0)
    assert file.read() == b"x"
with tempfile.NamedTemporaryFile("w+", suffix=".txt") as file:
    file.write("y")
    file.flush()
    assert Path(file.name).read_text() == "y"
with tempfile.TemporaryDirectory() as directory:
    tree = Path(directory) / "a/b/c"
    tree.mkdir(parents=True)
    (tree / "f").write_text("z")
    os.link(tree / "f", tree / "hard")
    (tree / "soft").symlink_to("f")
    shutil.copytree(Path(directory) / "a", "/mnt/data/copy", symlinks=True)
    assert (Path("/mnt/data/copy/b/c/soft")).read_text() == "z"
    shutil.move("/mnt/data/copy", "/mnt/data/moved")
shutil.make_archive("/mnt/data/moved", "gztar", "/mnt/data/moved")
shutil.rmtree("/mnt/data/moved")
with tempfile.SpooledTemporaryFile(max_size=10) as file:
    file.write(b"x" * 100)
descriptor, name = tempfile.mkstemp(dir="/dev/shm")
os.close(descriptor)
os.remove(name)
