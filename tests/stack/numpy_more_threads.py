# Sessions begin with one thread of OpenBLAS; a program may ask for more.
import os
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

a = np.random.default_rng(1).standard_normal((600, 600))
assert [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"] == [1]
before = a @ a
with threadpool_limits(limits=4, user_api="blas"):
    assert [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"] == [4]
    for _ in range(20):
        assert np.allclose(a @ a, before)
    assert len(os.listdir("/proc/self/task")) >= 4
