# expect: prints (0, 0)
import resource
print(resource.getrlimit(resource.RLIMIT_CORE))
