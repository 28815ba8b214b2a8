# _amp_native: the cffi module, one abi3 binary for CPython 3.11 and later. Its C is generated from the public headers.
if(NOT SKBUILD)
  set(SKBUILD_SABI_COMPONENT Development.SABIModule)
  set(SKBUILD_SABI_VERSION 3.11)
endif()
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})

set(AMP_FFI_C "${PROJECT_BINARY_DIR}/generated/_amp_native.c")
set(ffi_script "${PROJECT_SOURCE_DIR}/native/cffi/build_ffi.py")
file(GLOB public_headers CONFIGURE_DEPENDS native/include/amp/*.h)
add_custom_command(OUTPUT "${AMP_FFI_C}"
  COMMAND "${Python_EXECUTABLE}" -m cffi.gen_src exec-python "${ffi_script}" "${AMP_FFI_C}"
  DEPENDS "${ffi_script}" ${public_headers} COMMENT "cffi: public headers -> _amp_native.c" VERBATIM)

Python_add_library(_amp_native MODULE USE_SABI ${SKBUILD_SABI_VERSION} WITH_SOABI "${AMP_FFI_C}")
target_link_libraries(_amp_native PRIVATE amp_native)
if(APPLE)
  set_target_properties(_amp_native PROPERTIES INSTALL_RPATH "@loader_path")
elseif(UNIX)      # RUNPATH, not RPATH, so that LD_LIBRARY_PATH can select another flavour of the library
  set_target_properties(_amp_native PROPERTIES INSTALL_RPATH "$ORIGIN")
  target_link_options(_amp_native PRIVATE -Wl,--enable-new-dtags)
endif()
