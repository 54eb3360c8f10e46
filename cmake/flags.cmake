# Warnings, sanitizers, and what every private target (library, command, tests) has in common.

# -Wsign-conversion comes with -Wconversion in C; shapes are int64_t and sizes are size_t, so it
# would mark every indexing of the tree and nothing worth reading.
set(KT_WARNINGS
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wconversion -Wno-sign-conversion)
if(KT_WERROR)
    list(APPEND KT_WARNINGS -Werror)
endif()

if(KT_SANITIZE)
    set(KT_SANITIZE_FLAGS -fsanitize=${KT_SANITIZE} -fno-omit-frame-pointer)
    if(KT_SANITIZE MATCHES "undefined")
        list(APPEND KT_SANITIZE_FLAGS -fno-sanitize-recover=all)
    endif()
    add_compile_options(${KT_SANITIZE_FLAGS})
    add_link_options(${KT_SANITIZE_FLAGS})
endif()

set(KT_SHARED_LINK_OPTIONS)
if(NOT APPLE AND NOT WIN32)
    list(APPEND KT_SHARED_LINK_OPTIONS -Wl,--as-needed)
    if(NOT KT_SANITIZE) # clang leaves the sanitizer's own symbols open until the program is linked
        list(APPEND KT_SHARED_LINK_OPTIONS -Wl,--no-undefined)
    endif()
endif()

set(KT_RELEASE_CONFIGS Release,RelWithDebInfo,MinSizeRel)

# Private code sees src/ by path ("ir/graph.h"), the GNU/POSIX declarations (futex, affinity), and
# KT_DEBUG, which turns KT_ASSERT on, in every build but a release.
function(kt_private_target target)
    target_include_directories(${target} PRIVATE
        ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_compile_definitions(${target} PRIVATE
        _GNU_SOURCE $<$<NOT:$<CONFIG:${KT_RELEASE_CONFIGS}>>:KT_DEBUG>)
    target_compile_options(${target} PRIVATE ${KT_WARNINGS})
endfunction()
