# expect: prints held  (no sysfs, no cgroups, nothing of the host that can be written)
writable = {"/mnt/data", "/tmp", "/dev/shm", "/home/session",
            "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
bad = []
for line in open("/proc/self/mountinfo"):
    left, right = line.split(" - ")
    place, options = left.split()[4:6]
    kind = right.split()[0]
    if kind in ("sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "bpf", "securityfs", "devpts", "mqueue"):
        bad.append(line)
    if "rw" in options.split(",") and place not in writable:
        bad.append(line)
print("held" if not bad else bad)
