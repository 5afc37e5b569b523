# timeout: 150
import os
import numpy as np
from joblib import Memory, Parallel, delayed, dump, load

def work(part):
    return os.getpid(), float(part.sum())

big = np.ones(3_000_000)
done = Parallel(n_jobs=2)(delayed(work)(big[i::4]) for i in range(4))
assert os.getpid() not in {pid for pid, _ in done} and sum(total for _, total in done) == 3_000_000
done = Parallel(n_jobs=4, backend="threading")(delayed(work)(big[i::4]) for i in range(4))
assert {pid for pid, _ in done} == {os.getpid()}
dump(big, "/mnt/data/big.joblib", compress=3)
assert load("/mnt/data/big.joblib").size == big.size
cached = Memory("/mnt/data/cache", verbose=0).cache(work)
assert cached(big)[1] == cached(big)[1]
