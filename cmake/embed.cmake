# Writes a file's bytes as a C array: NAME[] and NAME_length.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT}
     "#include <stddef.h>\n"
     "extern const char ${NAME}[];\nextern const size_t ${NAME}_length;\n"
     "const char ${NAME}[] = {${bytes}};\nconst size_t ${NAME}_length = sizeof ${NAME};\n")
