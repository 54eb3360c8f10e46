# What `make install` puts where: headers, libraries, the command, pkg-config and CMake files.
include(CMakePackageConfigHelpers)

set(KT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Keratin)
set(KT_INSTALLED keratin_static)
if(KT_BUILD_SHARED)
    list(APPEND KT_INSTALLED keratin_shared)
endif()

install(DIRECTORY include/keratin DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
install(TARGETS ${KT_INSTALLED} EXPORT KeratinTargets)
if(TARGET keratin_command)
    install(TARGETS keratin_command)
    install(FILES docs/keratin.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES docs/keratin.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME keratin)
endif()
install(EXPORT KeratinTargets NAMESPACE Keratin:: DESTINATION ${KT_CMAKE_DIR})

configure_package_config_file(
    cmake/KeratinConfig.cmake.in ${PROJECT_BINARY_DIR}/cmake/KeratinConfig.cmake
    INSTALL_DESTINATION ${KT_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/cmake/KeratinConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/cmake/KeratinConfig.cmake
    ${PROJECT_BINARY_DIR}/cmake/KeratinConfigVersion.cmake
    DESTINATION ${KT_CMAKE_DIR})

# The .pc file finds its prefix from its own place, so that a tree installed anywhere can be moved.
file(RELATIVE_PATH KT_PC_TO_PREFIX
    /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/keratin.pc.in ${PROJECT_BINARY_DIR}/cmake/keratin.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cmake/keratin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
