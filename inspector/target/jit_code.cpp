#include "inspector/target/jit_code.h"

#include "attach/procfs/process_status.h"
#include "inspector/target/jit_descriptor.h"
#include "machine/words.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace inspect {
namespace {

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  if (text.starts_with("0x"))
    text.remove_prefix(2);
  return whole_number<std::uint64_t>(text, 16);
}

std::string text_of(int descriptor) {
  std::string text;
  std::array<char, 65536> buffer;
  while (text.size() < max_perf_map) {
    const ssize_t count = ::pread(descriptor, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (count <= 0)
      break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

struct ScriptRuntime {
  std::string_view module; ///< how the short name of one of its modules begins
  std::string_view what;
  std::string_view tool; ///< with {} for the process
};

constexpr auto script_runtimes = std::to_array<ScriptRuntime>({
    {"libjvm.so", "Java", "jstack {}"},
    {"libpython", "Python", "py-spy dump --pid {}"},
    {"python3", "Python", "py-spy dump --pid {}"},
    {"libnode.so", "JavaScript", "kill -USR1 {0}, then node inspect -p {0}"},
    {"node", "JavaScript", "kill -USR1 {0}, then node inspect -p {0}"},
    {"libruby", "Ruby", "rbspy snapshot --pid {}"},
    {"ruby", "Ruby", "rbspy snapshot --pid {}"},
});

bool is_named(std::string_view name, std::string_view beginning) {
  if (!name.starts_with(beginning))
    return false;
  // "node" is not "nodejs-something", "python3.11" is "python3".
  const std::string_view rest = name.substr(beginning.size());
  return rest.empty() || rest.front() == '.' || rest.front() == '-' || (rest.front() >= '0' && rest.front() <= '9');
}

} // namespace

std::vector<JitSymbol> parse_perf_map(std::string_view text) {
  std::vector<JitSymbol> symbols;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const auto begin = hexadecimal(take_until(line, ' '));
    const auto size = hexadecimal(take_until(line, ' '));
    if (!begin || !size || *size == 0 || *begin + *size < *begin || line.empty())
      continue;
    symbols.push_back({{RunAddress{*begin}, RunAddress{*begin + *size}}, std::string(line)});
  }
  return symbols;
}

std::vector<JitSymbol> without_replaced(std::vector<JitSymbol> symbols) {
  std::vector<std::size_t> order(symbols.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return symbols[i].range.begin; });
  std::vector<JitSymbol> kept;
  std::vector<std::size_t> kept_from;
  for (const std::size_t i : order) {
    while (!kept.empty() && kept.back().range.end > symbols[i].range.begin && kept_from.back() < i) {
      kept.pop_back();
      kept_from.pop_back();
    }
    if (!kept.empty() && kept.back().range.end > symbols[i].range.begin)
      continue;
    kept.push_back(std::move(symbols[i]));
    kept_from.push_back(i);
  }
  return kept;
}

void JitCode::load() {
  if (std::exchange(loaded_, true))
    return;
  // What the process keeps in its own memory holds now, whatever a file of earlier says.
  std::vector<JitSymbol> all = mapped_symbols();
  std::vector<JitSymbol> described = described_jit_symbols(target_);
  std::move(described.rbegin(), described.rend(), std::back_inserter(all));
  symbols_ = without_replaced(std::move(all));
}

/// Those of the file for perf.
std::vector<JitSymbol> JitCode::mapped_symbols() const {
  const auto status = read_process_status(target_.process());
  if (!status)
    return {};
  const pid_t inside = status->id_in_namespace != 0 ? status->id_in_namespace : target_.process();
  const auto file = target_.files().open_as_target(fmt::format("/tmp/perf-{}.map", inside));
  struct stat attributes {};
  if (!file || ::fstat(file->descriptor.get(), &attributes) != 0)
    return {};
  const bool is_believed = attributes.st_uid == status->effective_user || attributes.st_uid == 0;
  return is_believed ? parse_perf_map(text_of(file->descriptor.get())) : std::vector<JitSymbol>();
}

std::optional<JitCode::Place> JitCode::at(RunAddress address) {
  const std::vector<Mapping> &maps = target_.maps();
  const auto after = std::ranges::upper_bound(maps, address, {}, [](const Mapping &one) { return one.range.begin; });
  if (after == maps.begin())
    return std::nullopt;
  const Mapping &mapping = *std::prev(after);
  const bool has_file = mapping.inode != 0 || (mapping.path.starts_with('[') && !mapping.path.starts_with("[anon"));
  if (!mapping.range.contains(address) || !mapping.executable || has_file)
    return std::nullopt;
  load();
  const auto next =
      std::ranges::upper_bound(symbols_, address, {}, [](const JitSymbol &one) { return one.range.begin; });
  if (next == symbols_.begin() || !std::prev(next)->range.contains(address))
    return Place{};
  return Place{std::prev(next)->name, address - std::prev(next)->range.begin};
}

std::string script_frames_note(Target &target) {
  const std::string_view executable = target.executable();
  const std::string_view name = executable.substr(executable.rfind('/') + 1);
  if (name.starts_with("qemu-"))
    return fmt::format("{} runs a program of another machine: its frames are not shown, but those of {} itself",
                       executable, name);
  for (const Module *module : target.modules().modules()) {
    if (module->name().starts_with("vgpreload_"))
      return "this runs under valgrind: its frames are not shown, but those of valgrind; gdb shows them through vgdb";
    for (const ScriptRuntime &runtime : script_runtimes)
      if (is_named(module->name(), runtime.module))
        return fmt::format("{} frames are not shown: {} shows them", runtime.what,
                           fmt::format(fmt::runtime(runtime.tool), target.process()));
  }
  return {};
}

} // namespace inspect
