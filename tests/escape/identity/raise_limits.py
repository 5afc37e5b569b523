# expect: error ValueError  (hard limits only go down)
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))
