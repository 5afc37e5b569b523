# expect: prints held  (a device node that is found in the image, or made in a directory, cannot be opened)
nodes = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
bad = []
for line in open("/proc/self/mountinfo"):
    place, options = line.split()[4:6]
    if "nodev" not in options.split(",") and place not in nodes:
        bad.append(line)
print("held" if not bad else bad)
