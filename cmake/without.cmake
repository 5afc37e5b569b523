# A build without one layer of the isolation: scripts/test mutation. LAYER() in sandboxd/sandbox/without.h asks
# for these names, tests/mutation/layers.json has the tests that must notice.
set(SANDPOOL_LAYERS landlock seccomp-guest seccomp-broker seccomp-front seccomp-shell bounding-set procfs-subset mounts-read-only tmpfs-size
                    tmpfs-inodes ipc-namespace)
set(SANDPOOL_WITHOUT "" CACHE STRING "a layer to leave out, never for use: ${SANDPOOL_LAYERS}")
if(SANDPOOL_WITHOUT)
  if(NOT SANDPOOL_WITHOUT IN_LIST SANDPOOL_LAYERS)
    message(FATAL_ERROR "SANDPOOL_WITHOUT=${SANDPOOL_WITHOUT}: must be one of ${SANDPOOL_LAYERS}")
  endif()
  set(SANDPOOL_VERSION_NOTE " WITHOUT ${SANDPOOL_WITHOUT}, not for use")
  install(CODE "message(FATAL_ERROR \"a build without ${SANDPOOL_WITHOUT} must not be installed\")")
endif()

# sandpool_leave_out(TARGET...): the folders that ask LAYER(); the others need no new build.
function(sandpool_leave_out)
  foreach(target ${ARGN})
    if(SANDPOOL_WITHOUT)
      target_compile_definitions(${target} PRIVATE SANDPOOL_WITHOUT="${SANDPOOL_WITHOUT}")
    endif()
  endforeach()
endfunction()
