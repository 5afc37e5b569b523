# Writes the names of this architecture's system calls as a C array: call_names[number].
file(WRITE ${OUTPUT}.h "#include <asm/unistd.h>\n")
execute_process(COMMAND ${COMPILER} -E -dM ${OUTPUT}.h OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "#define __NR_[a-z0-9_]+ [0-9]+\n" calls "${macros}")
set(rows "")
foreach(call IN LISTS calls)
  string(REGEX REPLACE "#define __NR_([a-z0-9_]+) ([0-9]+)\n" "    [\\2] = \"\\1\",\n" row "${call}")
  string(APPEND rows "${row}")
endforeach()
file(WRITE ${OUTPUT}
     "#include <stddef.h>\n"
     "extern const char *const call_names[];\nextern const size_t call_name_count;\n"
     "const char *const call_names[] = {\n${rows}};\n"
     "const size_t call_name_count = sizeof call_names / sizeof *call_names;\n")
