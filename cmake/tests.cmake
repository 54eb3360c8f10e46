# Tests, examples and fuzz targets, all found by their place.
#
#   src/**/x_test.c, tests/**/x_test.c   one executable per folder: src/nn/layers -> test_nn_layers
#   tests/testing/*.c                    helpers, linked into every test
#   examples/**/x.c                      one executable per file, public headers only;
#                                        each is the CTest example_x, run with --smoke
#   bench/x.c                            the program bench_x, built only when asked for
#   fuzz/x.c                             one libFuzzer target per file, and the CTest corpus_x,
#                                        which runs it over fuzz/corpora/x with fuzz/driver.c
#
# A folder of tests may hold a ctest.cmake that sets KT_TEST_LABEL (short, medium, long),
# KT_TEST_TIMEOUT (seconds), KT_TEST_NEEDS (targets to build first) or KT_TEST_VARIANTS (items
# NAME:VARIABLE=VALUE: the tests run once more as test_folder.NAME with that environment). Tests run
# in the top folder of the sources.

set(KT_TEST_TIMEOUT_FACTOR 1)
if(KT_SANITIZE)
    set(KT_TEST_TIMEOUT_FACTOR 8)
endif()
# Huge requests must come back as NULL under ASan too: out of memory is an ordinary error here.
set(KT_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:allocator_may_return_null=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:allocator_may_return_null=1")

function(kt_register name label timeout environment)
    math(EXPR timeout "${timeout} * ${KT_TEST_TIMEOUT_FACTOR}")
    set_tests_properties(${name} PROPERTIES
        LABELS ${label}
        TIMEOUT ${timeout}
        ENVIRONMENT "${KT_TEST_ENVIRONMENT};${environment}")
endfunction()

function(kt_add_test_folder folder sources)
    string(REGEX REPLACE "^(src|tests)/" "" name ${folder})
    string(REPLACE "/" "_" name test_${name})
    set(KT_TEST_LABEL short)
    set(KT_TEST_TIMEOUT 120)
    set(KT_TEST_VARIANTS)
    set(KT_TEST_NEEDS)
    if(folder MATCHES "^src/backend/cpu") # every level of the kernels, not only this machine's best
        list(REMOVE_ITEM KT_ISAS avx512)
        foreach(isa ${KT_ISAS})
            list(APPEND KT_TEST_VARIANTS ${isa}:KT_ISA=${isa})
        endforeach()
    endif()
    include(${PROJECT_SOURCE_DIR}/${folder}/ctest.cmake OPTIONAL)

    add_executable(${name} ${sources})
    kt_private_target(${name})
    # Literals like {0.1, 0.2} for float arrays are what tests are made of.
    target_compile_options(${name} PRIVATE -Wno-conversion)
    target_compile_definitions(${name} PRIVATE ${KT_ISA_DEFINITIONS})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${name} PRIVATE kt_testing keratin_static)
    if(KT_TEST_NEEDS)
        add_dependencies(${name} ${KT_TEST_NEEDS})
    endif()
    if(folder STREQUAL "src/cli" AND TARGET keratin_cli)
        target_sources(${name} PRIVATE $<TARGET_OBJECTS:keratin_cli>)
    endif()
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    kt_register(${name} ${KT_TEST_LABEL} ${KT_TEST_TIMEOUT} "")
    foreach(variant ${KT_TEST_VARIANTS})
        string(REGEX MATCH "^([^:]+):(.*)$" unused "${variant}")
        set(variant_name ${name}.${CMAKE_MATCH_1})
        set(variant_environment "${CMAKE_MATCH_2}")
        add_test(NAME ${variant_name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        kt_register(${variant_name} ${KT_TEST_LABEL} ${KT_TEST_TIMEOUT} "${variant_environment}")
    endforeach()
endfunction()

function(kt_add_tests)
    kt_require(KT_CMOCKA cmocka libcmocka-dev)
    file(GLOB helpers CONFIGURE_DEPENDS tests/testing/*.c)
    add_library(kt_testing STATIC ${helpers})
    kt_private_target(kt_testing)
    target_include_directories(kt_testing PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(kt_testing PUBLIC PkgConfig::KT_CMOCKA PRIVATE keratin_static)

    file(GLOB_RECURSE tests CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
        src/*_test.c tests/*_test.c)
    list(FILTER tests EXCLUDE REGEX "^tests/testing/") # kt_test.c is no test
    set(folders)
    foreach(test ${tests})
        get_filename_component(folder ${test} DIRECTORY)
        list(APPEND folders ${folder})
        list(APPEND "sources_of_${folder}" ${test})
    endforeach()
    list(REMOVE_DUPLICATES folders)
    foreach(folder ${folders})
        kt_add_test_folder(${folder} "${sources_of_${folder}}")
    endforeach()
    kt_add_fuzz_regressions()
endfunction()

# Programs as users write them: no private folder on the include path, the compiler's default
# dialect.
function(kt_add_examples)
    file(GLOB_RECURSE programs CONFIGURE_DEPENDS
        RELATIVE ${PROJECT_SOURCE_DIR}/examples examples/*.c)
    foreach(program ${programs})
        string(REGEX REPLACE "\\.c$" "" name ${program})
        string(REPLACE "/" "_" name ${name})
        add_executable(example_${name} examples/${program})
        target_compile_options(example_${name} PRIVATE ${KT_WARNINGS})
        target_link_libraries(example_${name} PRIVATE keratin_static m)
        set_target_properties(example_${name} PROPERTIES
            C_EXTENSIONS ON
            OUTPUT_NAME ${name}
            RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
        if(KT_BUILD_TESTS)
            add_test(NAME example_${name} COMMAND example_${name} --smoke
                WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
            kt_register(example_${name} medium 120 "")
        endif()
    endforeach()
endfunction()

# bench/x.c is the program bench_x, built only when asked for.
function(kt_add_benchmarks)
    file(GLOB programs CONFIGURE_DEPENDS bench/*.c)
    foreach(program ${programs})
        get_filename_component(name ${program} NAME_WE)
        add_executable(bench_${name} EXCLUDE_FROM_ALL ${program})
        kt_private_target(bench_${name})
        target_link_libraries(bench_${name} PRIVATE keratin_static)
    endforeach()
endfunction()

function(kt_fuzz_programs out)
    file(GLOB programs CONFIGURE_DEPENDS fuzz/*.c)
    list(FILTER programs EXCLUDE REGEX "/driver\\.c$")
    set(${out} ${programs} PARENT_SCOPE)
endfunction()

# The same targets over fuzz/corpora/NAME, without libFuzzer: what was found once stays a test.
function(kt_add_fuzz_regressions)
    kt_fuzz_programs(programs)
    foreach(program ${programs})
        get_filename_component(name ${program} NAME_WE)
        set(target corpus_${name})
        add_executable(${target} ${program} fuzz/driver.c)
        kt_private_target(${target})
        target_link_libraries(${target} PRIVATE keratin_static)
        set_target_properties(${target} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
        add_test(NAME ${target} COMMAND ${target} ${PROJECT_SOURCE_DIR}/fuzz/corpora/${name})
        kt_register(${target} short 60 "")
    endforeach()
endfunction()

function(kt_add_fuzz_targets)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR
            "libFuzzer needs clang. On Debian: apt-get install clang libclang-rt-14-dev")
    endif()
    kt_fuzz_programs(programs)
    foreach(program ${programs})
        get_filename_component(name ${program} NAME_WE)
        add_executable(fuzz_${name} ${program})
        kt_private_target(fuzz_${name})
        target_compile_definitions(fuzz_${name} PRIVATE KT_FUZZ) # libFuzzer is there: mutators
        target_compile_options(fuzz_${name} PRIVATE -Wno-unused-function)
        target_link_libraries(fuzz_${name} PRIVATE keratin_static)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        set_target_properties(fuzz_${name} PROPERTIES
            OUTPUT_NAME ${name}
            RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
    endforeach()
endfunction()
