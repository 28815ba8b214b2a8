# Installs everything in one folder (amp_lab/_native in a wheel): module, library, generated C, headers, CMake package.
include(CMakePackageConfigHelpers)
if(AMP_BUILD_PYTHON)
  install(TARGETS _amp_native LIBRARY DESTINATION . COMPONENT amp_runtime)
  install(FILES "${AMP_FFI_C}" DESTINATION . COMPONENT amp_runtime)
  if(SKBUILD)  # Jupyter's folders: the server extension, enabled, and the JupyterLab extension
    install(DIRECTORY amp_lab/data/labextension/ COMPONENT amp_jupyter
            DESTINATION "${SKBUILD_DATA_DIR}/share/jupyter/labextensions/amp-lab")
    install(FILES amp_lab/data/jupyter_server.json RENAME amp_lab.json COMPONENT amp_jupyter
            DESTINATION "${SKBUILD_DATA_DIR}/etc/jupyter/jupyter_server_config.d")
  endif()
endif()
install(TARGETS amp_native EXPORT amp_native-targets
  LIBRARY DESTINATION . COMPONENT amp_runtime
  RUNTIME DESTINATION . COMPONENT amp_runtime
  ARCHIVE DESTINATION lib COMPONENT amp_devel)
install(FILES "${PROJECT_BINARY_DIR}/generated/source_digest.txt" DESTINATION . COMPONENT amp_runtime)
install(DIRECTORY native/include/ DESTINATION include COMPONENT amp_devel)
install(EXPORT amp_native-targets NAMESPACE amp:: DESTINATION cmake COMPONENT amp_devel)
configure_package_config_file(native/cmake/amp_native-config.cmake.in amp_native-config.cmake INSTALL_DESTINATION cmake)
write_basic_package_version_file(amp_native-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/amp_native-config.cmake" "${PROJECT_BINARY_DIR}/amp_native-config-version.cmake"
  DESTINATION cmake COMPONENT amp_devel)
