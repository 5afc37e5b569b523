import numpy as np
a = np.arange(1_000_000, dtype=np.float64).reshape(1000, 1000)
np.save("/mnt/data/a.npy", a)
np.savez_compressed("/mnt/data/a.npz", a=a)
assert np.array_equal(np.load("/mnt/data/a.npy", mmap_mode="r")[500], a[500])
assert np.array_equal(np.load("/mnt/data/a.npz")["a"], a)
kept = np.memmap("/mnt/data/kept.bin", dtype=np.int32, mode="w+", shape=(1000,))
kept[:] = 7
kept.flush()
assert np.fromfile("/mnt/data/kept.bin", dtype=np.int32).sum() == 7000
