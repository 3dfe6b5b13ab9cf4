// A C program that loads Go libraries (fixtures/golang/c_shared), each with a Go runtime of its own.
#pragma once

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <string>
#include <string_view>

namespace inspect::test {

/// Loads each Go library, has it start ten goroutines, and waits.
inline constexpr std::string_view library_host_source = R"(
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments) {
  for (int i = 1; i < count; ++i) {
    void *library = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "StartGoroutines") : NULL;
    if (!symbol) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    void (*start)(int);
    memcpy(&start, &symbol, sizeof start);
    start(10);
  }
  puts("ready");
  fflush(stdout);
  for (;;)
    pause();
}
)";

/// Its arguments are the libraries; it prints "ready".
inline std::string build_library_host(const TemporaryDirectory &folder) {
  const std::string source = folder.write("host.c", library_host_source);
  const CommandResult built = run_command({"cc", "-O1", "-o", folder / "host", source, "-ldl"});
  if (built.status != 0)
    FAIL(built.err);
  return folder / "host";
}

} // namespace inspect::test
