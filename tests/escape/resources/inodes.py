# expect: OSError ENOSPC  (empty files cost kernel memory too)
for i in range(30000):
    open(f"/mnt/data/{i}", "w").close()
