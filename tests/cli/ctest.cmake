# Starts build/…/keratin many times.
set(KT_TEST_TIMEOUT 120)
if(TARGET keratin_command)
    set(KT_TEST_NEEDS keratin_command)
endif()
