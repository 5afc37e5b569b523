# Third-party libraries, by their pkg-config names. Each is met in one file (docs/architecture.md).
find_package(PkgConfig REQUIRED)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(CAP REQUIRED IMPORTED_TARGET libcap)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(MD4C REQUIRED IMPORTED_TARGET md4c)

# Always the distribution's own Python: another python3 may come first on PATH.
set(ENV{PKG_CONFIG_LIBDIR} "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig:/usr/lib/pkgconfig:/usr/share/pkgconfig")
pkg_check_modules(PYTHON_EMBED REQUIRED IMPORTED_TARGET python3-embed)

# Not by pkg-config: that would ask for the development files of GLib too, which the headers do not use.
find_path(SLIRP_INCLUDE_DIR slirp/libslirp.h REQUIRED)
find_library(SLIRP_LIBRARY slirp REQUIRED)
add_library(sandpool_slirp INTERFACE IMPORTED)
target_include_directories(sandpool_slirp INTERFACE ${SLIRP_INCLUDE_DIR})
target_link_libraries(sandpool_slirp INTERFACE ${SLIRP_LIBRARY})
