# What the library links. A missing piece ends the configuration with the package to install.
find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
    message(FATAL_ERROR "pkg-config was not found. On Debian: apt-get install pkg-config")
endif()

# kt_require(KT_LIBZIP libzip libzip-dev): the target PkgConfig::KT_LIBZIP, or a clear end.
function(kt_require name module debian_package)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(NOT ${name}_FOUND)
        message(FATAL_ERROR
            "${module} was not found by pkg-config. On Debian: apt-get install ${debian_package}")
    endif()
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
kt_require(KT_LIBZIP libzip libzip-dev)
kt_require(KT_ZLIB zlib zlib1g-dev)
kt_require(KT_LIBDEFLATE libdeflate libdeflate-dev)
kt_require(KT_JANSSON jansson libjansson-dev)
set(KT_LIBRARIES PkgConfig::KT_LIBZIP PkgConfig::KT_ZLIB PkgConfig::KT_LIBDEFLATE
    PkgConfig::KT_JANSSON Threads::Threads m)
