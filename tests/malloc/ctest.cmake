# Every allocation of loading and saving fails once, those of the libraries too: thousands of runs.
set(KT_TEST_LABEL medium)
set(KT_TEST_TIMEOUT 120)
