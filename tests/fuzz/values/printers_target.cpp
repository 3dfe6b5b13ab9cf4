// Values of C, C++ and Rust and of their libraries, printed and stepped into, with some words changed.
// The memory is recorded.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/recorded_memory.h"
#include "tests/values/fixture_values.h"
#include "values/printers/library_view.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <filesystem>

namespace inspect::test {
namespace {

struct RecordedProgram {
  std::unique_ptr<FixtureValues> values;
  std::unique_ptr<BufferMemory> memory;
  std::vector<std::string> names;
};

/// Those of the fixtures that were built here. They are started once in a run, and wait.
const std::vector<RecordedProgram> &recorded_programs() {
  static const auto all = [] {
    std::vector<RecordedProgram> programs;
    for (const auto &[name, language] :
         std::initializer_list<std::pair<std::string_view, SourceLanguage>>{{"values_gcc", SourceLanguage::cpp},
                                                                            {"values_c", SourceLanguage::c},
                                                                            {"values_cpp", SourceLanguage::cpp},
                                                                            {"values_libcxx", SourceLanguage::cpp},
                                                                            {"values_rust", SourceLanguage::rust}}) {
      if (!std::filesystem::exists(fixture_path(name)))
        continue;
      RecordedProgram &program = programs.emplace_back();
      program.values = std::make_unique<FixtureValues>(std::vector<std::string>{fixture_path(name)}, language);
      while (program.values->child().read_line() != "ready") {
      }
      program.values->open();
      program.memory = record_memory(program.values->child().pid());
      program.names = program.values->variable_names();
      fuzz_check(!program.names.empty(), "a fixture has variables");
    }
    return programs;
  }();
  return all;
}

void step_into(const Value &value, FuzzInput &choices, ValueEnvironment &environment, int depth) {
  const ValueOperations &operations = operations_of(value);
  const auto go_on = [&](const Result<Value> &next) {
    if (next && depth > 0)
      step_into(*next, choices, environment, depth - 1);
    fuzz_check(next || !next.error().message().empty(), "a step that fails has a reason");
  };
  const std::vector<std::string> names = operations.member_names(value, environment);
  if (!names.empty())
    go_on(operations.member(value, names[choices.number(1) % names.size()], environment));
  go_on(operations.dereference(value, environment));
  go_on(operations.slice(value, choices.number(1) % 3,
                         choices.number(1) % 2 == 0 ? std::nullopt : std::optional<std::uint64_t>(9), environment));
  static_cast<void>(operations.length(value, environment));
  static_cast<void>(operations.capacity(value, environment));
  static_cast<void>(operations.number(value, environment));
  const auto text = operations.text(value, 100, environment);
  fuzz_check(!text || text->size() <= 100, "a text is as long as it may be");
}

bool run_printers(std::span<const std::byte> bytes) {
  const auto &programs = recorded_programs();
  if (programs.empty())
    return false;
  FuzzInput input(bytes);
  const RecordedProgram &program = programs[input.number(1) % programs.size()];
  const std::string &name = program.names[input.number(2) % program.names.size()];
  const std::uint64_t format = input.number(1);
  FuzzInput choices(input.part());
  const EditedMemory memory(*program.memory, input);
  const ValueEnvironment &intact = program.values->environment();
  ValueEnvironment environment{.memory = memory, .modules = intact.modules, .types = intact.types};
  environment.find_type = intact.find_type;
  Value value = program.values->variable(name);
  value.source =
      ValueSource::in_memory(memory, *value.source->address(), intact.types.size_of(value.type.native).value_or(8));
  PrintOptions options;
  options.limits.recursion = 1 + format % 4;
  options.limits.elements = 16;
  options.limits.text_bytes = 4096;
  options.format = static_cast<NumberFormat>(format / 4 % 10);
  if (const auto view = library_view(value, {format * 3, 16}, environment))
    fuzz_check(view->children.size() <= 16, "a view has as many children as are wanted");
  const std::string text = value_text(value, environment, options);
  fuzz_check(text.size() < 3 * options.limits.text_bytes, "a value's text is bounded");
  step_into(value, choices, environment, 3);
  fuzz_check(memory.bytes_read() < 64 << 20, "what is read for one value is bounded");
  return true;
}

std::vector<std::string> printers_seeds() {
  std::vector<std::string> seeds;
  const auto &programs = recorded_programs();
  for (std::uint64_t i = 0; i < programs.size(); ++i)
    for (std::uint64_t name = 0; name < programs[i].names.size(); name += 7)
      for (std::string &seed : edit_seeds(FuzzSeed()
                                              .number(i, 1)
                                              .number(name, 2)
                                              .number(name % 40, 1)
                                              .part(std::string("\1\2\0\3\1\0\2\1\4", 9))
                                              .text()))
        seeds.push_back(std::move(seed));
  return seeds;
}

const RegisteredFuzzTarget printers_target{{.name = "printers",
                                            .run = run_printers,
                                            .seeds = printers_seeds,
                                            .rounds = 4,
                                            .max_size = 256,
                                            .missing = "the fixtures of values/ were not built"}};

} // namespace
} // namespace inspect::test
