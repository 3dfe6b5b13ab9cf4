#include "tests/fuzz/fuzz_sections.h"

#include "dwarf/raw/elf/elf_image.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>

namespace inspect::test {
namespace {

constexpr std::size_t max_code = 1 << 16;

std::optional<std::string> content_of_file(const std::string &path, std::size_t max_size) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return std::nullopt;
  std::string content{std::istreambuf_iterator<char>(file), {}};
  return content.size() <= max_size ? std::optional(std::move(content)) : std::nullopt;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

} // namespace

FileDescriptor fuzz_file(std::string_view bytes) {
  FileDescriptor file(::memfd_create("fuzzed", MFD_CLOEXEC));
  if (!file || ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    std::perror("an input in memory");
    std::exit(2);
  }
  return file;
}

FuzzSections FuzzSections::take(FuzzInput &input) {
  FuzzSections taken;
  taken.code_begin = input.number(6);
  taken.code = input.part().substr(0, max_code);
  taken.eh_frame_address = input.number(6);
  while (!input.empty() && taken.sections.size() < 2 * names.size()) {
    const std::uint64_t number = input.number(1);
    taken.sections.emplace_back(names.at(number % names.size()), input.part());
  }
  return taken;
}

std::string FuzzSections::seed(const std::string &path, std::size_t max_size, std::vector<std::string_view> wanted) {
  const auto file = content_of_file(path, 1 << 20);
  if (!file)
    return {};
  const auto image = ElfImage::from_file(fuzz_file(*file), path);
  if (!image)
    return {};
  FuzzSeed seed;
  const auto text = image->section(".text");
  const auto eh_frame = image->section(".eh_frame");
  seed.number(text ? text->header.sh_addr : 0, 6).part(text ? as_text(image->content(*text)).substr(0, max_code) : "");
  seed.number(eh_frame ? eh_frame->header.sh_addr : 0, 6);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!wanted.empty() && std::ranges::find(wanted, names.at(i)) == wanted.end())
      continue;
    if (const auto section = image->section(names.at(i)); section && section->header.sh_type != SHT_NOBITS)
      seed.number(i, 1).part(as_text(image->content(*section)));
  }
  return seed.text().size() <= max_size ? seed.text() : std::string();
}

std::string_view FuzzSections::find(std::string_view name) const {
  const auto found = std::ranges::find(sections, name, &std::pair<std::string_view, std::string_view>::first);
  return found == sections.end() ? std::string_view() : found->second;
}

std::string FuzzSections::elf() const {
  ElfWriter elf;
  elf.load(".text", code_begin, std::string(code), PF_X);
  for (const auto &[name, content] : sections) {
    if (name == ".eh_frame")
      elf.load(".eh_frame", eh_frame_address, std::string(content));
    else
      elf.section(std::string(name), std::string(content));
  }
  return elf.text();
}

std::vector<LinkAddress> FuzzSections::addresses() const {
  std::vector<LinkAddress> addresses;
  constexpr std::uint64_t count = 24;
  for (std::uint64_t i = 0; i < count; ++i)
    addresses.push_back(LinkAddress{code_begin + i * code.size() / count});
  addresses.push_back(LinkAddress{code_begin + code.size()});
  return addresses;
}

std::string fuzz_fixture(std::string_view name) {
  return std::string(INSPECT_FIXTURE_DIRECTORY) + "/" + std::string(name);
}

std::vector<std::string> fixture_sections(std::vector<std::string_view> fixtures, std::size_t max_size,
                                          const std::vector<std::string_view> &wanted) {
  std::vector<std::string> seeds;
  for (const std::string_view fixture : fixtures)
    if (std::string seed = FuzzSections::seed(fuzz_fixture(fixture), max_size, wanted); !seed.empty())
      seeds.push_back(std::move(seed));
  return seeds;
}

} // namespace inspect::test
