#include "tests/support/this_build.h"

#include <dlfcn.h>
#include <filesystem>
#include <stdexcept>

namespace inspect::test {

std::string built_programs_folder() {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed)
    throw std::runtime_error("cannot tell where this test program is: " + failed.message());
  return self.parent_path().string();
}

std::string built_program(std::string_view name) {
  return built_programs_folder() + "/" + std::string(name);
}

bool has_address_sanitizer() {
  return ::dlsym(RTLD_DEFAULT, "__asan_init") != nullptr;
}

} // namespace inspect::test
