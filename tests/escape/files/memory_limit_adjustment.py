# expect: OSError EROFS or EACCES or EPERM  (procfs is read-only)
open("/proc/self/oom_score_adj", "w").write("-1000")
