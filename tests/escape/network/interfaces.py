# expect: prints ['lo']  (nothing else to send through)
print([line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line])
