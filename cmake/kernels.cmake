# Kernels are written once and compiled once per instruction set; src/backend/cpu picks one at run
# time. KT_ISA (portable, avx2, avx512) goes into the names; KT_HAVE_AVX2 and KT_HAVE_AVX512 say what
# is there.
include(CheckCCompilerFlag)

set(KT_ISA_FLAGS_portable)
set(KT_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(KT_ISA_FLAGS_avx512
    -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)

set(KT_ISAS portable)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    foreach(isa avx2 avx512)
        string(REPLACE ";" " " flags "${KT_ISA_FLAGS_${isa}}")
        check_c_compiler_flag("${flags}" KT_COMPILER_HAS_${isa})
        if(KT_COMPILER_HAS_${isa})
            list(APPEND KT_ISAS ${isa})
            string(TOUPPER ${isa} upper)
            list(APPEND KT_ISA_DEFINITIONS KT_HAVE_${upper})
        endif()
    endforeach()
endif()

# Contraction and no errno let the compiler use FMA and inline square roots; results stay IEEE
# otherwise (no -ffast-math). In other than release builds -O2 keeps sanitizer runs short enough.
set(KT_KERNEL_FLAGS
    -ffp-contract=fast -fno-math-errno -fno-trapping-math
    # clang says where it does not follow a hint to vectorise; with sanitizers it never does
    $<$<C_COMPILER_ID:Clang>:-Wno-pass-failed>
    $<IF:$<CONFIG:${KT_RELEASE_CONFIGS}>,-O3,$<$<NOT:$<BOOL:${KT_COVERAGE}>>:-O2>>)
# gcc's ASan puts locals that it watches after return on a stack of 32-byte alignment and still uses
# the 64-byte moves of AVX-512 on them (PR 110027). Everything else of ASan stays on.
if(KT_SANITIZE MATCHES "address" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND KT_KERNEL_FLAGS --param=asan-use-after-return=0)
endif()

function(kt_kernel_objects out)
    file(GLOB sources CONFIGURE_DEPENDS src/backend/cpu/kernels/*.c)
    list(FILTER sources EXCLUDE REGEX "_test\\.c$")
    set(objects)
    if(sources)
        foreach(isa ${KT_ISAS})
            add_library(keratin_kernels_${isa} OBJECT ${sources})
            kt_private_target(keratin_kernels_${isa})
            target_compile_definitions(keratin_kernels_${isa} PRIVATE
                KT_ISA=${isa} ${KT_ISA_DEFINITIONS})
            target_compile_options(keratin_kernels_${isa} PRIVATE
                ${KT_ISA_FLAGS_${isa}} ${KT_KERNEL_FLAGS})
            list(APPEND objects $<TARGET_OBJECTS:keratin_kernels_${isa}>)
        endforeach()
    endif()
    set(dispatchers ${KT_SOURCES})
    list(FILTER dispatchers INCLUDE REGEX "^src/backend/cpu/")
    set_property(SOURCE ${dispatchers} PROPERTY COMPILE_DEFINITIONS ${KT_ISA_DEFINITIONS})
    set(${out} ${objects} PARENT_SCOPE)
endfunction()
