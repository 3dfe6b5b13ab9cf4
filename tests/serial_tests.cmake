# Read by ctest after the tests were discovered. These end many threads while their /proc is read; Linux 6.18
# then spins in shrink_dcache_parent for as long as every processor is busy, which another test would keep it.
foreach(test IN ITEMS
    "Ctrl-C while stacks runs: the target runs on"
    "Ctrl-C in a session that holds the target, then a hang-up of its terminal"
    "two dumps of one process at once: each works or says who traces it")
  set_tests_properties("commands:${test}" "commands: ${test}" PROPERTIES RUN_SERIAL TRUE)
endforeach()
