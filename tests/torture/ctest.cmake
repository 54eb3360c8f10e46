# Every allocation fails once: 70,000 runs, seconds. `make torture` runs it under AddressSanitizer.
set(KT_TEST_LABEL medium)
set(KT_TEST_TIMEOUT 120)
