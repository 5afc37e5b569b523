# expect: prints held  (the image and nothing else)
import os
allowed = {"bin", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "mnt", "proc", "sbin", "tmp", "usr"}
print("held" if set(os.listdir("/")) <= allowed and os.listdir("/home") == ["session"]
      and os.listdir("/mnt") == ["data"] else (os.listdir("/"), os.listdir("/home"), os.listdir("/mnt")))
