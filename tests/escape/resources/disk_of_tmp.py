# expect: OSError ENOSPC
with open("/tmp/big", "wb") as file:
    for _ in range(2000):
        file.write(b"x" * (1 << 20))
