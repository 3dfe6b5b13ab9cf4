// Types as the Go runtime describes them, and values of them, in recorded memory with some words changed.
#include "golang/types/runtime_types.h"
#include "golang/values/value_writer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/golang/recorded_go.h"

#include <set>

namespace inspect::test {
namespace {

const RecordedGo *typed_program() {
  static const std::unique_ptr<RecordedGo> recorded = record_go("runtime_types");
  return recorded.get();
}

/// Where types are described in the program: as Go up to 1.26 lists them, or one behind the other.
const std::vector<RunAddress> &descriptions() {
  static const std::vector<RunAddress> all = [] {
    constexpr std::size_t max_descriptions = 4096;
    const RecordedGo &go = *typed_program();
    const ModuleData &data = go.process->image().data;
    std::vector<RunAddress> found;
    for (std::uint64_t i = 0; i < data.type_links.length && found.size() < max_descriptions; ++i)
      if (const auto offset = read_value<std::int32_t>(*go.memory, data.type_links.data + i * 4))
        found.push_back(data.types.begin + static_cast<std::uint64_t>(*offset));
    GoRuntimeTypes types(go.process->images(), go.process->image().version, *go.memory);
    for (RunAddress at = data.type_descriptions.begin;
         at < data.type_descriptions.end && found.size() < max_descriptions; at = at + 8)
      if (const GoType *type = types.at(at); type != nullptr && !type->name.empty())
        found.push_back(at);
    if (found.empty())
      found.push_back(data.types.begin);
    return found;
  }();
  return all;
}

/// Follows everything once; cycles are real.
void walk_type(const GoType *type, std::set<const GoType *> &seen) {
  std::vector<const GoType *> todo = {type};
  while (!todo.empty() && seen.size() < 300) {
    const GoType *next = todo.back();
    todo.pop_back();
    if (!next || !seen.insert(next).second)
      continue;
    todo.push_back(next->element);
    todo.push_back(next->key);
    for (const GoField &field : next->fields) {
      fuzz_check(field.type != nullptr, "a field has a type");
      todo.push_back(field.type);
    }
  }
}

bool run_go_types(std::span<const std::byte> bytes) {
  const RecordedGo *go = typed_program();
  if (go == nullptr)
    return false;
  FuzzInput input(bytes);
  FuzzInput choices(input.part());
  const EditedMemory memory(*go->memory, input);
  const GoImage &image = go->process->image();
  GoRuntimeTypes types(go->process->images(), image.version, memory);
  ValueContext context;
  context.memory = &memory;
  context.types = &types;
  context.version = image.version;
  context.print.limits.recursion = 4;
  std::size_t known = 0;
  std::set<const GoType *> seen;
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t choice = choices.number(2);
    const GoType *type = types.at(descriptions()[choice % descriptions().size()]);
    if (type == nullptr)
      continue;
    ++known;
    walk_type(type, seen);
    // A value of it anywhere in the data.
    const RunAddress place = image.data.data.begin + choices.number(3) % (image.data.data.size() + 1) / 8 * 8;
    const ValueSource source = ValueSource::in_memory(memory, place, type->size);
    fuzz_check(write_go_value(*type, source, context).size() < 8 * context.print.limits.text_bytes,
               "a value's text is bounded");
    static_cast<void>(error_text(*type, source, context));
    static_cast<void>(types.interface_table(place));
  }
  if (bytes.size() % 8 == 0)
    walk_type(types.find("*main.plain"), seen);
  return known > 0;
}

std::vector<std::string> go_types_seeds() {
  if (typed_program() == nullptr)
    return {};
  std::vector<std::string> seeds;
  for (std::uint64_t begin = 0; begin < 400; begin += 40) {
    FuzzSeed choices;
    for (std::uint64_t i = 0; i < 8; ++i)
      choices.number(begin + i * 5, 2).number(i * 4096 + begin * 8, 3);
    for (std::string &seed : edit_seeds(FuzzSeed().part(choices.text()).text()))
      seeds.push_back(std::move(seed));
  }
  std::erase_if(seeds, [](const std::string &seed) { return !run_go_types(std::as_bytes(std::span(seed))); });
  return seeds;
}

const RegisteredFuzzTarget go_types_target{{.name = "go-types",
                                            .run = run_go_types,
                                            .seeds = go_types_seeds,
                                            .rounds = 60,
                                            .max_size = 1024,
                                            .missing = no_go_toolchain}};

} // namespace
} // namespace inspect::test
