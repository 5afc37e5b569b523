# sandpool_folder(TARGET FOLDER [USES folder targets...] [LINKS libraries...] [SOURCES files...])
#
# One static library per folder. Its headers are reachable only through the target: each folder is
# exposed by a link in an include root of its own, and dependencies are PRIVATE. Including a header of
# a folder that USES does not name is therefore a compile error; docs/architecture.md says who may.
function(sandpool_expose target folder)
  set(root ${CMAKE_BINARY_DIR}/include/${target})
  get_filename_component(parent ${folder} DIRECTORY)
  file(MAKE_DIRECTORY ${root}/${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${folder} ${root}/${folder} SYMBOLIC)
  target_include_directories(${target} PUBLIC ${root})
endfunction()

function(sandpool_folder target folder)
  cmake_parse_arguments(ARG "" "" "USES;LINKS;SOURCES" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
    list(FILTER ARG_SOURCES EXCLUDE REGEX "/main\\.c$")
  endif()
  if(NOT ARG_SOURCES)
    return()
  endif()
  add_library(${target} STATIC ${ARG_SOURCES})
  sandpool_expose(${target} ${folder})
  target_link_libraries(${target} PRIVATE ${ARG_USES} ${ARG_LINKS})
endfunction()
