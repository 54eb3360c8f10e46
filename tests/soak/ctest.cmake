# Ten seconds; KT_SOAK_SECONDS=9000 makes the 150 minutes of goal R-13.
set(KT_TEST_LABEL medium)
set(KT_TEST_TIMEOUT 10000)
