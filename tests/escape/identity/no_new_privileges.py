# expect: prints NoNewPrivs: 1, Seccomp: 2
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(", ".join(f"{name}: {status[name].strip()}" for name in ("NoNewPrivs", "Seccomp")))
