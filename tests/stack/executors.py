# timeout: 90
import os
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed

def work(n):
    return n * n

with ThreadPoolExecutor(16) as pool:
    assert sum(future.result() for future in as_completed([pool.submit(work, n) for n in range(200)])) == 2646700
with ProcessPoolExecutor(2) as pool:
    assert list(pool.map(work, range(20))) == [n * n for n in range(20)]
barrier = threading.Barrier(50)
threads = [threading.Thread(target=barrier.wait) for _ in range(50)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
