# expect: prints held  (only harmless ones)
import os
allowed = {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr", "shm"}
print("held" if set(os.listdir("/dev")) <= allowed else os.listdir("/dev"))
