# Every allocation fails once: thousands of runs. `make torture`.
set(KT_TEST_LABEL long)
set(KT_TEST_TIMEOUT 600)
