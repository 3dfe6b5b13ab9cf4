// A test that lacks something on this machine says so and is counted as skipped by ctest:
//
//     if (!have("gdb")) SKIP_TEST("gdb is not installed");
#pragma once

#include <cstdio>

#define SKIP_TEST(reason)                                                                                              \
  do {                                                                                                                 \
    std::printf("SKIPPED: %s\n", reason);                                                                              \
    return;                                                                                                            \
  } while (false)
