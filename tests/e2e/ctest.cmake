# Trains on whole data sets.
set(KT_TEST_LABEL medium)
set(KT_TEST_TIMEOUT 300)
