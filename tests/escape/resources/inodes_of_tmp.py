# expect: OSError ENOSPC
for i in range(30000):
    open(f"/tmp/{i}", "w").close()
