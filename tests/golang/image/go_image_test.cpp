// Go images are found however they were built, linked, stripped or loaded; what is none is told, with the reason.
#include "golang/image/go_image.h"

#include "dwarf/cfi/cfi_table.h"
#include "dwarf/raw/elf/elf_image.h"
#include "golang/image/file_image.h"
#include "golang/pclntab/function_data_search.h"
#include "tests/golang/changed_memory.h"
#include "tests/golang/process_modules.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

using namespace test;

const LocalFiles local_files;

Result<std::unique_ptr<GoFileImage>> open_bytes(const std::vector<char> &bytes) {
  const TemporaryDirectory folder;
  return GoFileImage::open(folder.write("program", {bytes.data(), bytes.size()}), local_files);
}

std::unique_ptr<GoFileImage> open_program(const std::string &path) {
  auto opened = GoFileImage::open(path, local_files);
  if (!opened)
    FAIL(opened.error().message());
  return std::move(*opened);
}

/// In another build the linker may have put it elsewhere; in the same one it is at the same distance from main.main.
void check_same_tables(const GoImage &one, const GoImage &other) {
  REQUIRE(one.table->function_count() == other.table->function_count());
  CHECK(one.version == other.version);
  CHECK(one.version_text == other.version_text);
  CHECK(one.table->files() == other.table->files());
  const std::uint64_t bias = one.data.text.begin - other.data.text.begin;
  for (std::size_t i = 0; i < one.table->function_count(); i += 7) {
    const auto in_one = one.table->function(i);
    const auto in_other = other.table->function(i);
    REQUIRE(in_one);
    REQUIRE(in_other);
    CHECK(in_one->entry == in_other->entry + bias);
    CHECK(in_one->name == in_other->name);
    CHECK(in_one->func_id == in_other->func_id);
    const auto frames = one.table->frames(*in_one, in_one->entry);
    CHECK(frames.size() == other.table->frames(*in_other, in_other->entry).size());
  }
}

/// Where calls were inlined, too.
void check_same_frames(const Pclntab &one, const Pclntab &other) {
  std::size_t inlined = 0;
  for (std::size_t i = 0; i < one.function_count(); ++i) {
    const auto function = one.function(i);
    REQUIRE(function);
    const RunAddress middle = function->entry + (function->end - function->entry) / 2;
    const auto frames = one.frames(*function, middle);
    const auto same = [](const GoSourceFrame &left, const GoSourceFrame &right) {
      return left.function == right.function && left.line == right.line && left.func_id == right.func_id;
    };
    CHECK(std::ranges::equal(frames, other.frames(*function, middle), same));
    inlined += frames.size() - 1;
  }
  CHECK(inlined > 100);
}

void check_not_go(Module &module, const MemoryView &memory) {
  const auto image = open_go_image(module, memory);
  REQUIRE_FALSE(image);
  CHECK(image.error().kind() == ErrorKind::not_found);
  CHECK(image.error().message().find(module.path()) != std::string::npos);
}

/// Every place where the file has this pclntab's first eight bytes.
void replace_magic(std::vector<char> &bytes, const GoImage &image, char low_byte) {
  const auto header = image.module->image().bytes_from(image.module->bias().to_link(image.data.header)).first(8);
  std::array<char, 8> wanted;
  std::memcpy(wanted.data(), header.data(), wanted.size());
  for (auto at = bytes.begin(); (at = std::search(at, bytes.end(), wanted.begin(), wanted.end())) != bytes.end(); ++at)
    *at = low_byte;
}

constexpr std::string_view library = R"(package main

import "C"

//export Answer
//go:noinline
func Answer(n int) int { return n + len(words) }

var words = map[string]int{"a": 1}

func main() {}
)";

} // namespace

TEST_CASE("the image of a running Go program is that of its file, with and without the file") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::pie, GoVariant::external}) {
      if (variant == GoVariant::external && !full_matrix())
        continue;
      DYNAMIC_SECTION(variant_name(variant)) {
        const std::string program = build_go(go, "function_places", variant);
        const auto file = open_program(program);
        ChildProcess child({program});
        child.wait_for_line();
        for (const bool from_memory : {false, true}) {
          CAPTURE(from_memory);
          ProcessModules process(child.pid(), from_memory);
          Module *module = process.module(program);
          REQUIRE(module != nullptr);
          REQUIRE(module->from_memory() == from_memory);
          const auto image = open_go_image(*module, process.memory());
          if (!image)
            FAIL(image.error().message());
          check_same_tables(*image, file->image());
          for (Module *other : process.modules().modules())
            if (other != module)
              check_not_go(*other, process.memory());
        }
      }
    }
  });
}

TEST_CASE("Go libraries are Go images") {
  if (std::system("cc --version >/dev/null 2>&1") != 0)
    SKIP_TEST("there is no C compiler");
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::c_shared, GoVariant::plugin})
      DYNAMIC_SECTION(variant_name(variant)) {
        const std::string path = build_go_text(go, "answer", library, variant);
        const auto image = open_program(path);
        // Not all linkers give plugins build information.
        if (variant == GoVariant::c_shared || !image->image().version_text.empty())
          CHECK(image->image().version_text == go.version);
        const Pclntab &table = *image->image().table;
        std::vector<std::string_view> found;
        for (std::size_t i = 0; i < table.function_count(); ++i)
          if (const auto name = table.function(i)->name; name.ends_with(".Answer"))
            found.push_back(name);
        REQUIRE_FALSE(found.empty());
        const auto answer = table.find(found.front());
        CHECK(table.frames(*answer, answer->entry).front().line == 7);
      }
  });
}

TEST_CASE("FuncIDs learned from the runtime's names are those of the version") {
  for_each_go([](const GoToolchain &go) {
    const auto image = open_program(build_go(go, "function_places"));
    const auto learned = Pclntab::read(image->image().data, GoVersion{}, image->memory());
    REQUIRE(learned);
    const Pclntab &known = *image->image().table;
    std::size_t special = 0;
    for (std::size_t i = 0; i < known.function_count(); ++i) {
      const auto function = known.function(i);
      CAPTURE(function->name);
      CHECK((*learned)->function(i)->func_id == function->func_id);
      special += function->func_id != GoFuncId::normal ? 1 : 0;
    }
    CHECK(special >= 20);
    CHECK(known.find("runtime.goexit")->func_id == GoFuncId::goexit);
    CHECK(known.find("runtime.goexit")->top_frame);
    CHECK(known.find("runtime.main")->func_id == GoFuncId::runtime_main);
    CHECK(known.find("runtime.rt0_go")->func_id == GoFuncId::rt0_go);
    CHECK(known.find("runtime.systemstack_switch")->func_id == GoFuncId::systemstack_switch);
    CHECK(known.find("main.chain")->func_id == GoFuncId::normal);
  });
}

TEST_CASE("frame sizes are those of the DWARF that the Go linker makes") {
  for_each_go([](const GoToolchain &go) {
    const auto image = open_program(build_go(go, "function_places"));
    const Pclntab &table = *image->image().table;
    std::size_t compared = 0;
    for (std::size_t i = 0; i < table.function_count(); ++i) {
      const auto function = table.function(i);
      for (RunAddress pc = function->entry; pc < function->end; pc = pc + 5) {
        const auto delta = table.stack_delta(*function, pc);
        Module &module = *image->image().module;
        const CfiRow *row = cfi_of(module).at(module.bias().to_link(pc));
        constexpr unsigned stack_pointer = 7;
        if (!delta || row == nullptr || row->cfa.kind != RegisterRule::Kind::in_register ||
            row->cfa.from_register != stack_pointer)
          continue;
        ++compared;
        if (row->cfa.offset != *delta + 8)
          FAIL_CHECK(fmt::format("{} {:#x}: {} and not {}", function->name, pc.value, *delta, row->cfa.offset - 8));
      }
    }
    CHECK(compared > 20000);
  });
}

TEST_CASE("a field added to moduledata in a version to come does not lose the inlined calls") {
  const auto &all = go_toolchains();
  if (all.empty() || all.back().minor < 20)
    SKIP_TEST("no Go toolchain of 1.20 or later is installed");
  const auto file = open_program(build_go(all.back(), "function_places"));
  const ModuleData &data = file->image().data;
  CHECK(inlined_calls_make_sense(*file->image().table));
  ChangedMemory memory(file->memory());
  const bool types_in_a_row = data.type_descriptions.size() > 0;
  const std::size_t read_only_data = types_in_a_row ? 42 : 39;
  const std::size_t function_data = read_only_data + 1;
  memory.write_word(data.address + function_data * 8, data.read_only_data.value);
  memory.write_word(data.address + (function_data + 1) * 8, data.function_data.value);
  // The build information has the version with its length in front, behind a header of 32 bytes.
  const auto section = file->image().module->image().section(".go.buildinfo");
  REQUIRE(section);
  const RunAddress minor{section->header.sh_addr + 33 + std::strlen("go1.")};
  memory.write(minor, '9');
  const auto shifted = open_go_image(*file->image().module, memory);
  REQUIRE(shifted);
  CHECK(shifted->version.minor > 90);
  CHECK(read_word(memory, data.address + read_only_data * 8) == data.read_only_data.value);
  CHECK(shifted->data.function_data == data.function_data);
  check_same_frames(*shifted->table, *file->image().table);
}

TEST_CASE("a version to come that is laid out otherwise is not called damaged") {
  const auto &all = go_toolchains();
  if (all.empty() || all.back().minor < 20)
    SKIP_TEST("no Go toolchain of 1.20 or later is installed");
  const auto file = open_program(build_go(all.back(), "function_places"));
  const ModuleData &data = file->image().data;
  ChangedMemory memory(file->memory());
  // A field put in before the text moves all that follows.
  constexpr std::size_t first = 20;
  for (std::size_t word = first; word < 60; ++word)
    memory.write_word(data.address + (word + 1) * 8, read_word(file->memory(), data.address + word * 8).value_or(0));
  const auto same_version = open_go_image(*file->image().module, memory);
  REQUIRE_FALSE(same_version);
  CHECK(same_version.error().kind() == ErrorKind::corrupt);
  const auto section = file->image().module->image().section(".go.buildinfo");
  REQUIRE(section);
  memory.write({section->header.sh_addr + 33 + std::strlen("go1.")}, '9');
  const auto newer = open_go_image(*file->image().module, memory);
  REQUIRE_FALSE(newer);
  CHECK(newer.error().kind() == ErrorKind::unsupported);
  CHECK(newer.error().message().find("go1.9") != std::string::npos);
  CHECK(newer.error().message().find("newer than this program knows") != std::string::npos);
  CHECK_FALSE(newer.error().remedy().empty());
}

TEST_CASE("what is not a Go program is told as that, with and without section headers") {
  const std::string program = "/proc/self/exe";
  std::vector<char> bytes = bytes_of_file(program);
  for (const bool bare : {false, true}) {
    CAPTURE(bare);
    if (bare)
      remove_section_headers(bytes);
    const auto image = open_bytes(bytes);
    REQUIRE_FALSE(image);
    CHECK(image.error().kind() == ErrorKind::not_found);
  }
  // UPX writes its mark behind the program headers.
  std::memcpy(bytes.data() + 500, "UPX!", 4);
  const auto packed = open_bytes(bytes);
  REQUIRE_FALSE(packed);
  CHECK(packed.error().kind() == ErrorKind::unsupported);
  CHECK(packed.error().message().find("UPX") != std::string::npos);
  CHECK(packed.error().remedy().find("upx -d") != std::string::npos);
}

TEST_CASE("Go programs of formats that are too old or too new are refused with the reason") {
  if (go_toolchains().empty())
    SKIP_TEST("no Go toolchain is installed");
  const std::string program = build_go(go_toolchains().back(), "function_places");
  const auto intact = open_program(program);
  for (const bool bare : {false, true}) {
    CAPTURE(bare);
    std::vector<char> bytes = bytes_of_file(program);
    if (bare)
      remove_section_headers(bytes);
    replace_magic(bytes, intact->image(), '\xfb');
    const auto old = open_bytes(bytes);
    REQUIRE_FALSE(old);
    CHECK(old.error().kind() == ErrorKind::unsupported);
    CHECK(old.error().message().find("Go 1.15 or older") != std::string::npos);
    CHECK_FALSE(old.error().remedy().empty());
  }
  std::vector<char> bytes = bytes_of_file(program);
  replace_magic(bytes, intact->image(), '\xe7');
  const auto unknown = open_bytes(bytes);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind() == ErrorKind::unsupported);
  CHECK(unknown.error().message().find("0xffffffe7") != std::string::npos);
}

} // namespace inspect
