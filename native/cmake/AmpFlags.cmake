# amp_compile: compile options of every native source; AMP_KERNEL_FLAGS: additional options of kernels.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Options in GCC style; for clang-cl with its prefix /clang:.
function(amp_options out)
  set(options ${ARGN})
  if(MSVC)
    list(TRANSFORM options PREPEND "/clang:")
  endif()
  set(${out} ${options} PARENT_SCOPE)
endfunction()

# The same bits everywhere: no implicit fused multiply-add, and none from the vectoriser's complex-multiply patterns.
amp_options(exact_maths -ffp-contract=off -fno-tree-vectorize -fno-tree-slp-vectorize)
amp_options(warnings -Wall -Wextra -Wno-missing-field-initializers -Wno-psabi)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND warnings -Wno-parentheses)      # `!mask & lanes` on lane masks is intended; GCC warns of it
endif()
set(optimise -O3)
if(AMP_SANITIZE)
  set(optimise -O1)
endif()
# In functions with more than 300 accesses to memory the same checks of addresses are calls, not inline: GCC takes three
# times as long to compile the long loops of kernels with inline checks. Short ones keep them, which run faster.
if("address" IN_LIST AMP_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND optimise --param=asan-instrumentation-with-call-threshold=300)
endif()
amp_options(AMP_KERNEL_FLAGS ${optimise} -fno-math-errno -fno-trapping-math -fno-exceptions -fno-rtti)

add_library(amp_compile INTERFACE)
target_include_directories(amp_compile INTERFACE "${PROJECT_SOURCE_DIR}/native/include" "${PROJECT_SOURCE_DIR}/native")
target_compile_options(amp_compile INTERFACE ${exact_maths} ${warnings})
target_compile_definitions(amp_compile INTERFACE
  $<$<BOOL:${AMP_NATIVE_ENABLE_LOGGING}>:AMP_NATIVE_ENABLE_LOGGING=1> $<$<BOOL:${AMP_TEST_HOOKS}>:AMP_TEST_HOOKS=1>)
if(AMP_WERROR)
  amp_options(werror -Werror)
  target_compile_options(amp_compile INTERFACE ${werror})
endif()

# clang-cl does not link its own runtime library, which __builtin_cpu_supports needs.
set(AMP_RUNTIME_LIBRARIES "")
if(MSVC)
  execute_process(COMMAND "${CMAKE_CXX_COMPILER}" /clang:-print-resource-dir
    OUTPUT_VARIABLE resources OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  find_library(AMP_CLANG_RT clang_rt.builtins-x86_64 HINTS "${resources}/lib/windows" REQUIRED)
  set(AMP_RUNTIME_LIBRARIES "${AMP_CLANG_RT}")
endif()
target_link_libraries(amp_compile INTERFACE ${AMP_RUNTIME_LIBRARIES})

if(NOT MSVC)      # keeps paths of the build machine out of the binaries
  add_compile_options("-ffile-prefix-map=${PROJECT_SOURCE_DIR}=." "-ffile-prefix-map=${PROJECT_BINARY_DIR}=build")
endif()
if(AMP_SANITIZE)
  list(JOIN AMP_SANITIZE "," sanitizers)
  if("undefined" IN_LIST AMP_SANITIZE)      # also check conversions of doubles that exceed the integer type, which `undefined` does not
    string(APPEND sanitizers ",float-cast-overflow")
  endif()
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${sanitizers})
endif()

# amp_build_info(): compiler, target, build type, flavour
set(flavour ${AMP_SANITIZE})
if(AMP_NATIVE_ENABLE_LOGGING)
  list(APPEND flavour logging)
endif()
if(AMP_TEST_HOOKS)
  list(APPEND flavour hooks)
endif()
list(JOIN flavour "+" flavour)
if(NOT flavour)
  set(flavour standard)
endif()
set(AMP_BUILD_INFO "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, \
${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}, $<CONFIG>, -ffp-contract=off, flavour ${flavour}")
