# cmake -DROOT=... -P include_order.cmake: the folders below ROOT have an order, and a file includes only its own and lower folders.
# Folders on one line do not include each other. A folder has at most 12 entries, except those with one file per type
# or concept (nodes, include/amp) and plan.
cmake_minimum_required(VERSION 3.25)
set(order
  "include/amp"
  "core"
  "core/signals"
  "dsp"
  "kernel"
  "kernel/steps"
  "nodes" "plan"      # on one line
  "engine/run"
  "engine/build"
  "engine"
  "engine/stream"
  "meters"
  "meters/isa"
  "abi")
set(places 0 1 2 3 4 5 6 6 7 8 9 10 11 12 13)
set(most 12)
set(uncounted nodes plan include/amp)

function(place_of room out)      # -1: not in the order
  list(FIND order "${room}" index)
  if(index GREATER_EQUAL 0)
    list(GET places ${index} index)
  endif()
  set(${out} ${index} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/*.[ch]pp" "${ROOT}/*.h" "${ROOT}/*.inc")
list(FILTER files EXCLUDE REGEX "^(tests|bench|fuzz)/")
set(seen 0)
set(offenders "")
foreach(file IN LISTS files)
  cmake_path(GET file PARENT_PATH room)
  place_of("${room}" place)
  if(place LESS 0)
    list(APPEND offenders "${file}: ${room} is no room of the order")
    continue()
  endif()
  file(STRINGS "${ROOT}/${file}" lines REGEX "^#include \".*/")      # without a slash: of the same room, or generated
  foreach(line IN LISTS lines)
    math(EXPR seen "${seen} + 1")
    string(REGEX REPLACE "^#include \"([^\"]*)\".*" "\\1" header "${line}")
    cmake_path(GET header PARENT_PATH below)
    if(below STREQUAL "amp")
      set(below "include/amp")
    endif()
    place_of("${below}" down)
    if(NOT below STREQUAL room AND (down LESS 0 OR NOT down LESS place))
      list(APPEND offenders "${file} includes ${header}: ${below} is not below ${room}")
    endif()
  endforeach()
endforeach()

foreach(room IN LISTS order)
  file(GLOB entries "${ROOT}/${room}/*")
  list(LENGTH entries n)
  if(n GREATER most AND NOT room IN_LIST uncounted)
    list(APPEND offenders "${room}: ${n} entries, allowed ${most}")
  endif()
endforeach()

if(seen EQUAL 0)
  message(FATAL_ERROR "include_order: nothing to look at in ${ROOT}.")
endif()
list(LENGTH offenders n)
if(n GREATER 0)
  list(JOIN offenders "\n  " text)
  message(FATAL_ERROR "include_order: ${n} offender(s), allowed 0.\n  ${text}")
endif()
message(STATUS "include_order: ${seen} includes, no offender")
