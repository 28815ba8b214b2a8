# One SHA-256 over all native sources, compiled into the library and installed next to the module, so that a library
# built from other sources is detected. It is the digest of the lines "<sha256 of the file>  <path below native/>\n",
# sorted by path. Included by CMakeLists.txt; at build time run as a script (cmake -P) with ROOT, HEADER and TEXT.
function(amp_list_digest_sources root out)
  file(GLOB_RECURSE sources ${ARGN} RELATIVE "${root}"
    "${root}/*.cpp" "${root}/*.hpp" "${root}/*.h" "${root}/*.inc")
  list(FILTER sources EXCLUDE REGEX "^(tests|bench|fuzz)/")
  list(SORT sources)
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  function(amp_add_source_digest)      # ARGN: targets
    set(root "${PROJECT_SOURCE_DIR}/native")
    set(header "${PROJECT_BINARY_DIR}/generated/amp_source_digest.h")
    set(text "${PROJECT_BINARY_DIR}/generated/source_digest.txt")
    amp_list_digest_sources("${root}" sources CONFIGURE_DEPENDS)
    list(TRANSFORM sources PREPEND "${root}/")
    add_custom_command(OUTPUT "${header}" "${text}"
      COMMAND "${CMAKE_COMMAND}" -DROOT=${root} -DHEADER=${header} -DTEXT=${text}
              -P "${root}/cmake/AmpSourceDigest.cmake"
      DEPENDS ${sources} "${root}/cmake/AmpSourceDigest.cmake" COMMENT "Digest of the native sources" VERBATIM)
    foreach(target IN LISTS ARGN)
      get_target_property(taken ${target} IMPORTED)
      if(NOT taken)
        target_sources(${target} PRIVATE "${header}")
        target_include_directories(${target} PRIVATE "${PROJECT_BINARY_DIR}/generated")
      endif()
    endforeach()
  endfunction()
  return()
endif()

cmake_minimum_required(VERSION 3.25)
amp_list_digest_sources("${ROOT}" sources)
set(lines "")
foreach(source IN LISTS sources)
  file(SHA256 "${ROOT}/${source}" digest)
  string(APPEND lines "${digest}  ${source}\n")
endforeach()
string(SHA256 digest "${lines}")
file(WRITE "${HEADER}" "#define AMP_SOURCE_DIGEST \"${digest}\"\n")
file(WRITE "${TEXT}" "${digest}\n")
