#include "tests/support/go_toolchain.h"

#include "machine/file_descriptor.h"
#include "tests/support/run_command.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <sys/file.h>
#include <unistd.h>

namespace inspect::test {
namespace {

namespace fs = std::filesystem;

struct VariantFlags {
  std::string_view name;
  std::vector<std::string> flags;
  bool cgo = false;
  std::string_view suffix = {};
};

const VariantFlags &flags_of(GoVariant variant) {
  static const std::map<GoVariant, VariantFlags> all = {
      {GoVariant::plain, {"plain", {}}},
      {GoVariant::stripped, {"stripped", {"-ldflags=-s -w"}}},
      {GoVariant::pie, {"pie", {"-buildmode=pie"}}},
      {GoVariant::external, {"external", {"-ldflags=-linkmode=external"}, true}},
      {GoVariant::cgo, {"cgo", {"-tags=with_cgo"}, true}},
      {GoVariant::trimpath, {"trimpath", {"-trimpath"}}},
      {GoVariant::unoptimised, {"unoptimised", {"-gcflags=all=-N -l"}}},
      {GoVariant::c_shared, {"c-shared", {"-buildmode=c-shared", "-tags=with_cgo"}, true, ".so"}},
      {GoVariant::plugin, {"plugin", {"-buildmode=plugin"}, true, ".so"}},
  };
  return all.at(variant);
}

/// Numbers of "go1.19.8" or "go1.26"; nothing for releases before 1.16 and for what is not a release.
bool parse_version(GoToolchain &toolchain) {
  int major = 0;
  if (std::sscanf(toolchain.version.c_str(), "go%d.%d.%d", &major, &toolchain.minor, &toolchain.patch) < 2)
    return false;
  return major == 1 && toolchain.minor >= 16;
}

std::optional<GoToolchain> toolchain_at(const fs::path &go) {
  std::error_code failed;
  const fs::path real = fs::canonical(go, failed);
  if (failed || ::access(real.c_str(), X_OK) != 0)
    return std::nullopt;
  GoToolchain toolchain;
  toolchain.program = real.string();
  toolchain.root = real.parent_path().parent_path().string();
  // Its first word; what follows tells the time and the experiments. Reading it is quicker than asking the command.
  if (!(std::ifstream(toolchain.root + "/VERSION") >> toolchain.version) || !parse_version(toolchain))
    return std::nullopt;
  toolchain.from_debian = toolchain.root.starts_with("/usr/lib/go-");
  return toolchain;
}

std::vector<fs::path> folders_below(const fs::path &folder) {
  std::vector<fs::path> found;
  std::error_code failed; // no such folder: no toolchains there
  for (const auto &entry : fs::directory_iterator(folder, failed))
    found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> go_commands() {
  std::vector<fs::path> commands;
  const CommandResult on_path = run_command({"/bin/sh", "-c", "command -v go"});
  if (on_path.status == 0)
    commands.push_back(on_path.out.substr(0, on_path.out.find('\n')));
  commands.push_back("/usr/local/go/bin/go");
  for (const fs::path &folder : folders_below("/usr/lib"))
    if (folder.filename().string().starts_with("go-"))
      commands.push_back(folder / "bin/go");
  std::vector<fs::path> places;
  if (const char *home = std::getenv("HOME"); home != nullptr) {
    places.push_back(fs::path(home) / "sdk");
    places.push_back(fs::path(home) / "go/pkg/mod/golang.org");
  }
  if (const char *cache = std::getenv("GOMODCACHE"); cache != nullptr)
    places.push_back(fs::path(cache) / "golang.org");
  if (const char *given = std::getenv("INSPECT_GO_TOOLCHAINS"); given != nullptr)
    places.emplace_back(given);
  for (const fs::path &place : places)
    for (const fs::path &folder : folders_below(place))
      commands.push_back(folder / "bin/go");
  return commands;
}

/// FNV-1a: names a folder after what is in it.
std::uint64_t hash_text(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
  for (const char character : text)
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3;
  return hash;
}

std::string content_of(const fs::path &file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

using Sources = std::map<std::string, std::string>; ///< text by file name

/// Held until the end of the scope by one process at a time.
class FileLock {
public:
  explicit FileLock(const fs::path &path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (!file_ || ::flock(file_.get(), LOCK_EX) != 0)
      throw std::runtime_error("cannot lock " + path.string());
  }

private:
  FileDescriptor file_;
};

void write_sources(const fs::path &folder, std::string_view name, const GoToolchain &toolchain,
                   const Sources &sources) {
  for (const auto &[file, text] : sources)
    std::ofstream(folder / file, std::ios::binary) << text;
  std::ofstream(folder / "go.mod") << fmt::format("module example.com/fixtures/{}\n\ngo 1.{}\n", name, toolchain.minor);
}

/// Builds the package in `folder` with an environment that holds nothing of the user's settings.
void run_build(const GoToolchain &toolchain, const fs::path &cache, const fs::path &folder, const fs::path &output,
               const VariantFlags &variant) {
  const char *path = std::getenv("PATH");
  std::vector<std::string> words = {"env",
                                    "-i",
                                    "-C",
                                    folder.string(),
                                    fmt::format("PATH={}", path != nullptr ? path : "/usr/bin:/bin"),
                                    "HOME=" + cache.string(),
                                    "GOPATH=" + (cache / "path").string(),
                                    "GOCACHE=" + (cache / ("cache-" + toolchain.version)).string(),
                                    "GOENV=off",
                                    "GOPROXY=off",
                                    "GOTOOLCHAIN=local",
                                    "GOWORK=off",
                                    variant.cgo ? "CGO_ENABLED=1" : "CGO_ENABLED=0",
                                    toolchain.program,
                                    "build",
                                    "-o",
                                    output.string()};
  // The folder may be in a git checkout that belongs to someone else, which the go command refuses to look at.
  if (toolchain.minor >= 18)
    words.emplace_back("-buildvcs=false");
  words.insert(words.end(), variant.flags.begin(), variant.flags.end());
  words.emplace_back(".");
  const CommandResult result = run_command(words);
  if (result.status != 0)
    throw std::runtime_error(fmt::format("{} cannot build {} ({}): {}{}", toolchain.version, folder.string(),
                                         variant.name, result.out, result.err));
}

std::string build(const GoToolchain &toolchain, std::string_view name, const Sources &sources, GoVariant kind) {
  const VariantFlags &variant = flags_of(kind);
  std::uint64_t hash = hash_text({});
  for (const auto &[file, text] : sources)
    hash = hash_text(text, hash_text(file, hash));
  const fs::path cache = fs::path(INSPECT_FIXTURE_DIRECTORY) / "go";
  const fs::path folder = cache / toolchain.version / fmt::format("{}-{:016x}", name, hash);
  const fs::path output = folder / fmt::format("{}-{}{}", name, variant.name, variant.suffix);
  if (fs::exists(output))
    return output.string();
  fs::create_directories(folder);
  {
    const FileLock writing(folder / "lock");
    write_sources(folder, name, toolchain, sources);
  }
  const FileLock building(folder / fmt::format("lock-{}", variant.name));
  if (fs::exists(output))
    return output.string();
  const fs::path unfinished = output.string() + ".unfinished";
  run_build(toolchain, cache, folder, unfinished, variant);
  fs::rename(unfinished, output);
  return output.string();
}

std::vector<GoToolchain> installed_toolchains(bool newer) {
  std::map<std::pair<int, int>, GoToolchain> by_version;
  for (const fs::path &command : go_commands())
    if (auto toolchain = toolchain_at(command))
      by_version.try_emplace({toolchain->minor, toolchain->patch}, *toolchain);
  std::vector<GoToolchain> found;
  for (auto &[version, toolchain] : by_version)
    if ((toolchain.minor > listed_go_versions().back().first) == newer)
      found.push_back(std::move(toolchain));
  return found;
}

} // namespace

std::string_view variant_name(GoVariant variant) {
  return flags_of(variant).name;
}

bool full_matrix() {
  const char *wanted = std::getenv("INSPECT_FULL_MATRIX");
  return wanted != nullptr && std::string_view(wanted) == "1";
}

const std::vector<std::pair<int, int>> &listed_go_versions() {
  static const std::vector<std::pair<int, int>> listed = [] {
    std::vector<std::pair<int, int>> versions;
    std::ifstream file(fs::path(INSPECT_SOURCE_DIRECTORY) / "tests/support/go_versions.txt");
    for (std::string line; std::getline(file, line);)
      if (int minor = 0, patch = 0; std::sscanf(line.c_str(), "1.%d.%d", &minor, &patch) == 2)
        versions.emplace_back(minor, patch);
    if (versions.empty())
      throw std::runtime_error("tests/support/go_versions.txt lists no version");
    return versions;
  }();
  return listed;
}

const std::vector<GoToolchain> &all_go_toolchains() {
  static const std::vector<GoToolchain> all = installed_toolchains(false);
  return all;
}

const std::vector<GoToolchain> &newer_go_toolchains() {
  static const std::vector<GoToolchain> newer = installed_toolchains(true);
  return newer;
}

std::vector<GoToolchain> go_toolchains() {
  const std::vector<GoToolchain> &all = all_go_toolchains();
  if (full_matrix() || all.size() <= 2)
    return all;
  std::vector<GoToolchain> some;
  for (const GoToolchain &toolchain : all)
    if (&toolchain == &all.front() || &toolchain == &all.back() || toolchain.from_debian)
      some.push_back(toolchain);
  return some;
}

std::vector<GoVariant> go_variants() {
  if (full_matrix())
    return {go_program_variants.begin(), go_program_variants.end()};
  return {GoVariant::plain, GoVariant::stripped, GoVariant::pie};
}

std::string build_go(const GoToolchain &toolchain, std::string_view name, GoVariant variant) {
  const fs::path folder = fs::path(INSPECT_SOURCE_DIRECTORY) / "fixtures/golang" / name;
  Sources sources;
  for (const fs::path &file : folders_below(folder))
    if (fs::is_regular_file(file))
      sources[file.filename().string()] = content_of(file);
  if (sources.empty())
    throw std::runtime_error("there is no Go fixture " + folder.string());
  return build(toolchain, name, sources, variant);
}

std::string build_go_text(const GoToolchain &toolchain, std::string_view name, std::string_view source,
                          GoVariant variant) {
  return build(toolchain, name, {{"main.go", std::string(source)}}, variant);
}

} // namespace inspect::test
