import os
name = "secret-" + os.urandom(4).hex()
for place in ("/mnt/data", "/tmp", "/dev/shm"):
    open(f"{place}/{name}", "w").close()
print(name)
