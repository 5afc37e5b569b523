# expect: prints held  (hidepid: PID 1 and every other id are invisible)
import os
seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]
print("held" if seen == [os.getpid()] else seen)
