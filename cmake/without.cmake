# A build without one layer of the isolation: scripts/test mutation. LAYER() in base/core/without.h asks
# for these names, tests/mutation/layers.json has what must notice.
set(SANDPOOL_LAYERS
    # a session's namespaces and what it sees
    user-namespace pid-namespace mnt-namespace net-namespace ipc-namespace uts-namespace cgroup-namespace
    user-namespace-limit mounts-read-only mounts-no-suid devices procfs-subset procfs-hidepid
    procfs-read-only
    # what it may do, and whose it is
    bounding-set capabilities no-new-privileges guest-id session-ids groups descriptors environment dumpable
    core-files landlock landlock-scopes landlock-own architectures seccomp-guest
    # what it may use up
    limits cgroup-limits tmpfs-size tmpfs-inodes
    # the daemon's other processes
    seccomp-broker seccomp-front seccomp-shell seccomp-helper seccomp-egress seccomp-janitor helper-resolve
    helper-links front-id front-root front-namespaces egress-root egress-rules egress-own-addresses)
set(SANDPOOL_WITHOUT "" CACHE STRING "a layer to leave out, never for use: ${SANDPOOL_LAYERS}")
if(SANDPOOL_WITHOUT)
  if(NOT SANDPOOL_WITHOUT IN_LIST SANDPOOL_LAYERS)
    message(FATAL_ERROR "SANDPOOL_WITHOUT=${SANDPOOL_WITHOUT}: must be one of ${SANDPOOL_LAYERS}")
  endif()
  set(SANDPOOL_VERSION_NOTE " WITHOUT ${SANDPOOL_WITHOUT}, not for use")
  install(CODE "message(FATAL_ERROR \"a build without ${SANDPOOL_WITHOUT} must not be installed\")")
  # The name is in a file, so that the next layer rebuilds only what asks for layers.
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/without/left_out.h CONTENT "#define SANDPOOL_WITHOUT \"${SANDPOOL_WITHOUT}\"\n")
  include_directories(${CMAKE_BINARY_DIR}/without)
  add_compile_definitions(SANDPOOL_LEAVES_OUT)
endif()
