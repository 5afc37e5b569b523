# expect: prints held  (every set is empty, the bounding set too)
sets = {line.split(":")[0]: int(line.split()[1], 16) for line in open("/proc/self/status")
        if line.startswith("Cap")}
print("held" if len(sets) == 5 and not any(sets.values()) else sets)
