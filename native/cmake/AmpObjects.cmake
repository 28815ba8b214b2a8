# amp_objects: who links to it is linked with all objects of the library. They are compiled in this tree, or taken from the
# tree of a wheel, whose flags for them are the same: so they are compiled once for the wheel, the native tests and the
# library with fault hooks.
set(AMP_OBJECTS_FROM "" CACHE PATH "Build tree of a wheel (build/wheel-Release-*) whose objects are linked, not compiled again")
if(AMP_OBJECTS_FROM AND (AMP_SANITIZE OR AMP_NATIVE_ENABLE_LOGGING OR NOT CMAKE_GENERATOR STREQUAL "Ninja"))
  message(FATAL_ERROR "AMP_OBJECTS_FROM: not for sanitizers, logging or a generator other than Ninja (got ${AMP_OBJECTS_FROM}, "
                      "allowed an empty path). Compile the objects: -DAMP_OBJECTS_FROM=.")
endif()
add_library(amp_objects INTERFACE)

# Adds the sources ARGN, as object library `name`, to amp_objects: for an instruction set level, or for none (""). What the
# fault hooks change is compiled with them, even where other objects are taken.
function(amp_add_objects name level)
  if(AMP_OBJECTS_FROM AND NOT (AMP_TEST_HOOKS AND name STREQUAL "amp_hooked"))
    set(objects "")
    foreach(source IN LISTS ARGN)
      cmake_path(RELATIVE_PATH source BASE_DIRECTORY "${PROJECT_SOURCE_DIR}")
      list(APPEND objects "${AMP_OBJECTS_FROM}/CMakeFiles/${name}.dir/${source}${CMAKE_CXX_OUTPUT_EXTENSION}")
    endforeach()
    add_library(${name} OBJECT IMPORTED GLOBAL)
    set_property(TARGET ${name} PROPERTY IMPORTED_OBJECTS ${objects})
    set_property(GLOBAL APPEND PROPERTY AMP_TAKEN_OBJECTS ${objects})
  else()
    add_library(${name} OBJECT ${ARGN})
    if(level)
      amp_set_isa(${name} ${level})
    else()
      target_link_libraries(${name} PRIVATE amp_compile)
      target_compile_options(${name} PRIVATE ${AMP_BASELINE_MARCH})
    endif()
    target_compile_definitions(${name} PRIVATE AMP_NATIVE_BUILDING)
  endif()
  target_sources(amp_objects INTERFACE $<TARGET_OBJECTS:${name}>)
endfunction()

# After all objects: those taken are built where they come from first, so that none is older than its source.
function(amp_build_taken_objects)
  if(AMP_OBJECTS_FROM)
    get_property(objects GLOBAL PROPERTY AMP_TAKEN_OBJECTS)
    add_custom_target(amp_taken_objects COMMAND "${CMAKE_COMMAND}" --build "${AMP_OBJECTS_FROM}" --target amp_native
      BYPRODUCTS ${objects} COMMENT "Objects of ${AMP_OBJECTS_FROM}" VERBATIM)
  endif()
endfunction()
