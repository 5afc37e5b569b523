# expect: OSError ENOSPC
for i in range(30000):
    open(f"/dev/shm/{i}", "w").close()
