import sqlite3
import threading
path = "/mnt/data/test.db"
with sqlite3.connect(path) as database:
    assert database.execute("pragma journal_mode=wal").fetchone() == ("wal",)
    database.execute("pragma mmap_size=1048576")
    database.execute("create table numbers (n integer primary key, text)")

def add(first):
    with sqlite3.connect(path, timeout=20) as own:
        own.executemany("insert into numbers values (?, ?)", [(n, str(n)) for n in range(first, first + 500)])

threads = [threading.Thread(target=add, args=(first,)) for first in range(0, 2000, 500)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with sqlite3.connect(path) as database:
    assert database.execute("select count(*), sum(n) from numbers").fetchone() == (2000, 1999000)
    database.execute("create virtual table words using fts5(body)")
    database.execute("insert into words values ('a needle in the hay')")
    assert database.execute("select count(*) from words where words match 'needle'").fetchone() == (1,)
copy = sqlite3.connect(":memory:")
database.backup(copy)
database.execute("vacuum")
assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
