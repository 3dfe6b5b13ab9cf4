// Reads an earlier `mem --json`. The file may be anything: what is not as the schema says is an error, and nothing in
// it is believed beyond its being a number.
#include "commands/memory/memory_writers.h"
#include "inspector/memory/memory_figures.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace inspect {
namespace {

using ParsedJson = nlohmann::json;
using FindFigure = const MemoryFigureName *(*)(std::string_view);

/// Nesting needs stack in the parser and in the destructor; ours is four deep.
constexpr std::size_t max_nesting = 16;

/// Documents of --watch follow each other, one a line: the first one's text. Brackets in strings do not count. Empty:
/// it does not end, or is nested too deep.
std::string_view first_document(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char character = text[at];
    if (in_string) {
      if (character == '\\')
        ++at;
      else if (character == '"')
        in_string = false;
      continue;
    }
    if (character == '"')
      in_string = true;
    else if (character == '{' || character == '[') {
      if (++depth > max_nesting)
        return {};
    } else if (character == '}' || character == ']') {
      if (depth == 0 || --depth == 0)
        return text.substr(0, at + 1);
    }
  }
  return {};
}

const ParsedJson *member(const ParsedJson &object, const char *name) {
  if (!object.is_object())
    return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

template <typename T> std::optional<T> number(const ParsedJson &object, const char *name) {
  const ParsedJson *value = member(object, name);
  if (value == nullptr || !value->is_number_integer())
    return std::nullopt;
  if (value->is_number_unsigned()) {
    const auto read = value->get<std::uint64_t>();
    return std::in_range<T>(read) ? std::optional(static_cast<T>(read)) : std::nullopt;
  }
  const auto read = value->get<std::int64_t>();
  return std::in_range<T>(read) ? std::optional(static_cast<T>(read)) : std::nullopt;
}

/// Names that this version does not know are passed over, as docs/json.md asks of readers.
std::vector<MemoryFigure> read_figures(const ParsedJson &document, const char *part, FindFigure find) {
  std::vector<MemoryFigure> figures;
  const ParsedJson *object = member(document, part);
  if (object == nullptr || !object->is_object())
    return figures;
  for (const auto &[name, value] : object->items())
    if (const MemoryFigureName *known = find(name); known != nullptr && value.is_number_unsigned())
      figures.push_back({known, value.get<std::uint64_t>()});
  return figures;
}

/// False: a kind is not as it must be.
bool read_kinds(const ParsedJson &list, std::vector<KindUsage> &kinds) {
  for (const ParsedJson &object : list) {
    const ParsedJson *name = member(object, "kind");
    const auto mappings = number<std::size_t>(object, "mappings");
    if (name == nullptr || !name->is_string() || !mappings || !number<std::uint64_t>(object, "reserved"))
      return false;
    const auto kind = parse_mapping_kind(name->get_ref<const std::string &>());
    if (!kind)
      continue; // of a later version
    KindUsage usage{.kind = *kind, .mappings = *mappings, .amounts = {}};
    for (const AmountName &amount : memory_amounts())
      usage.amounts.*amount.amount = number<std::uint64_t>(object, std::string(amount.name).c_str()).value_or(0);
    if (std::ranges::find(kinds, *kind, &KindUsage::kind) != kinds.end())
      return false;
    kinds.push_back(usage);
  }
  return true;
}

Error wrong(std::string_view name, std::string_view what) {
  return Error(ErrorKind::corrupt, fmt::format("{} is not an earlier output of mem --json: {}", name, what),
               "inspect mem PID --json > FILE makes one");
}

} // namespace

Result<MemoryFigures> read_memory_json(std::string_view text, std::string_view name) {
  const std::string_view first = first_document(text);
  if (first.empty())
    return std::unexpected(wrong(name, text.empty() ? "it is empty" : "it is not JSON, or truncated"));
  const ParsedJson document = ParsedJson::parse(first, nullptr, false);
  if (document.is_discarded())
    return std::unexpected(wrong(name, "it is not JSON"));
  const ParsedJson *schema = member(document, "schema");
  if (schema == nullptr || !schema->is_string())
    return std::unexpected(wrong(name, "it has no schema"));
  if (const auto &given = schema->get_ref<const std::string &>(); given != "inspect.mem/1")
    return std::unexpected(wrong(name, fmt::format("its schema is '{}' and not inspect.mem/1", given.substr(0, 64))));
  MemoryFigures figures;
  const auto process = number<pid_t>(document, "pid");
  const auto start_ticks = number<std::uint64_t>(document, "start_ticks");
  const auto taken_at = number<std::int64_t>(document, "taken_at_ms");
  const ParsedJson *command = member(document, "command");
  const ParsedJson *kinds = member(document, "kinds");
  if (!process || !start_ticks || !taken_at || command == nullptr || !command->is_string() || kinds == nullptr ||
      !kinds->is_array())
    return std::unexpected(wrong(name, "members are missing that inspect.mem/1 has"));
  figures.process = *process;
  figures.start_ticks = *start_ticks;
  figures.taken_at = *taken_at;
  figures.command = command->get<std::string>();
  if (const ParsedJson *mappings = member(document, "mappings"))
    if (const ParsedJson *measured = member(*mappings, "measured"))
      figures.measured = measured->is_boolean() && measured->get<bool>();
  figures.totals = read_figures(document, "totals", find_total_figure);
  figures.go = read_figures(document, "go", find_go_figure);
  figures.malloc_figures = read_figures(document, "malloc", find_malloc_figure);
  if (!read_kinds(*kinds, figures.kinds))
    return std::unexpected(wrong(name, "its kinds are not those of inspect.mem/1"));
  return figures;
}

} // namespace inspect
