# expect: aborted  (the kernel ends the interpreter; files and session stay)
hoard = [b"x" * (64 << 20) for _ in range(64)]
