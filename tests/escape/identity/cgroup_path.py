# expect: prints held  (what is above its own cgroup has no name here)
paths = {line.rstrip("\n").split(":", 2)[2] for line in open("/proc/self/cgroup")}
print("held" if not any("sandpool" in path for path in paths) else paths)
