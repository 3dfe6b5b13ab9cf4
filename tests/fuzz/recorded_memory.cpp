#include "tests/fuzz/recorded_memory.h"

#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/uio.h>

namespace inspect::test {
namespace {

constexpr std::uint64_t max_recorded_mapping = 16 << 20;

} // namespace

std::unique_ptr<BufferMemory> record_memory(pid_t process) {
  auto memory = std::make_unique<BufferMemory>();
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    char dash = 0;
    std::string rights;
    fields >> std::hex >> begin >> dash >> end >> rights;
    if (!rights.starts_with('r') || end <= begin || end - begin > max_recorded_mapping)
      continue;
    std::vector<std::byte> bytes(end - begin);
    iovec local{bytes.data(), bytes.size()};
    iovec remote{reinterpret_cast<void *>(begin), bytes.size()};
    if (::process_vm_readv(process, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes.size()))
      memory->add(RunAddress{begin}, std::move(bytes));
  }
  return memory;
}

void EditedMemory::next_edit() const {
  if (input_.empty()) {
    next_ = ~std::uint64_t{0};
    return;
  }
  next_ = position_ + input_.number(3);
  edit_ = static_cast<Edit>(input_.number(1) % edit_count);
}

void EditedMemory::apply(RunAddress address, std::span<std::byte> into) const {
  const std::size_t size = std::min<std::size_t>(into.size(), 8);
  std::uint64_t word = 0;
  std::memcpy(&word, into.data(), size);
  switch (edit_) {
  case replace:
    word = input_.number(8);
    break;
  case add: // what is recorded is an address or a length as a rule
    word += static_cast<std::uint64_t>(static_cast<std::int8_t>(input_.number(1)));
    break;
  case itself: // a circle
    word = address.value;
    break;
  case zero:
    word = 0;
    break;
  case ones:
    word = ~std::uint64_t{0};
    break;
  default:
    word = address.value + input_.number(2) - 0x8000;
  }
  std::memcpy(into.data(), &word, size);
}

Result<void> EditedMemory::read(RunAddress address, std::span<std::byte> into) const {
  const auto done = intact_.read(address, into);
  if (!done)
    return done;
  const std::uint64_t begin = position_;
  const std::uint64_t end = begin + into.size();
  while (next_ < end) {
    const std::uint64_t at = next_ - begin;
    apply(address + at, into.subspan(at));
    position_ = next_ + 1; // the next edit counts from here
    next_edit();
  }
  position_ = end;
  return {};
}

} // namespace inspect::test
