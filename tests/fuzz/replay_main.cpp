// test_fuzz TARGET: runs the seeds of a fuzz target, what fuzzers found in it earlier, and a number of damaged seeds
// that is always the same. test_fuzz TARGET FILE…: runs these inputs. Exit status 0: nothing broke; anything else, and
// sanitizers and signals as well: something did.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/hex_text.h"
#include "tests/support/fuzz_rounds.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect::test {
namespace {

std::span<const std::byte> bytes_of(const std::string &text) {
  return std::as_bytes(std::span(text));
}

/// What libFuzzer does most: some bytes, a number at the edge, a piece removed, repeated or taken from another seed.
std::string damaged(const std::string &seed, const std::string &other, std::mt19937_64 &random) {
  constexpr std::array<std::uint64_t, 8> edges{0, ~0ULL, 1, 0x7f, 0x80, 0x7fffffff, 0x80000000, 0x7fffffffffffffff};
  std::string text = seed;
  for (std::size_t changes = 1 + random() % 4; changes > 0 && !text.empty(); --changes) {
    const std::size_t at = random() % text.size();
    const std::size_t length = 1 + random() % std::min<std::size_t>(text.size() - at, 32);
    switch (random() % 7) {
    case 0:
      text[at] = static_cast<char>(random());
      break;
    case 1:
      text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
      break;
    case 2:
      for (std::size_t i = 0; i < std::min<std::size_t>(length, 8); ++i)
        text[at + i] = static_cast<char>(edges[random() % edges.size()] >> 8 * i);
      break;
    case 3:
      text.erase(at, length);
      break;
    case 4:
      text.insert(at, text.substr(random() % text.size(), length));
      break;
    case 5:
      if (!other.empty())
        text.insert(at, other.substr(random() % other.size(), length));
      break;
    default:
      if (random() % 4 == 0)
        text.resize(at);
    }
  }
  return text;
}

/// The input that runs, in memory that the parent process sees, too.
class RunningInput {
public:
  RunningInput()
      : memory_(
            static_cast<char *>(::mmap(nullptr, max_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (memory_ == MAP_FAILED)
      throw std::runtime_error("no memory to share");
  }
  void set(const std::string &input) {
    const std::size_t size = std::min(input.size(), max_size - sizeof size);
    std::memcpy(memory_, &size, sizeof size);
    std::memcpy(memory_ + sizeof size, input.data(), size);
  }
  std::string get() const {
    std::size_t size = 0;
    std::memcpy(&size, memory_, sizeof size);
    return {memory_ + sizeof size, size};
  }

private:
  static constexpr std::size_t max_size = 1 << 20;
  char *memory_;
};

int replay(const FuzzTarget &target, RunningInput &running) {
  const std::vector<std::string> seeds = target.seeds();
  if (seeds.empty()) {
    std::printf("SKIPPED: %.*s\n", static_cast<int>(target.missing.size()), target.missing.data());
    return target.missing.empty() ? 1 : 0;
  }
  const std::string name(target.name);
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    running.set(seeds[i]);
    if (!target.run(bytes_of(seeds[i]))) {
      std::printf("seed %zu of %s, which is sound, is not understood\n", i, name.c_str());
      return 1;
    }
  }
  std::size_t earlier = 0;
  const std::filesystem::path folder =
      std::filesystem::path(INSPECT_SOURCE_DIRECTORY) / "tests/fuzz/regressions" / name;
  if (std::filesystem::is_directory(folder)) {
    for (const auto &entry : std::filesystem::directory_iterator(folder)) {
      const auto input = read_fuzz_input(entry.path());
      if (!input) {
        std::printf("%s is not hex\n", entry.path().c_str());
        return 1;
      }
      running.set(*input);
      target.run(bytes_of(*input));
      ++earlier;
    }
  }
  std::mt19937_64 random(20'260'101);
  std::size_t understood = 0;
  int rounds = 0;
  const int usual = target.rounds * static_cast<int>(seeds.size());
  for (; fuzz_goes_on(rounds, usual); ++rounds) {
    const std::string input =
        damaged(seeds[static_cast<std::size_t>(rounds) % seeds.size()], seeds[random() % seeds.size()], random);
    running.set(input);
    understood += target.run(bytes_of(input)) ? 1 : 0;
  }
  std::printf("%s: %zu seeds, %zu earlier findings, %d damaged seeds, of which %zu were understood\n", name.c_str(),
              seeds.size(), earlier, rounds, understood);
  return 0;
}

/// In a process of its own: when that ends by a signal or a sanitizer, this one still can keep the input.
int replay_apart(const FuzzTarget &target) {
  RunningInput running;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0)
    throw std::runtime_error("no process to replay in");
  if (child == 0)
    std::exit(replay(target, running));
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return 0;
  const std::string path = "fuzz-" + std::string(target.name) + ".input";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << running.get();
  std::printf("the input is in %s\n", path.c_str());
  return 1;
}

int run(std::span<char *> words) {
  const FuzzTarget *target = words.size() > 1 ? find_fuzz_target(words[1]) : nullptr;
  if (!target) {
    for (const FuzzTarget &one : fuzz_targets())
      std::printf("%.*s\n", static_cast<int>(one.name.size()), one.name.data());
    return words.size() > 1 ? 2 : 0;
  }
  for (char *path : words.subspan(2)) {
    const auto input = read_fuzz_input(path);
    if (!input) {
      std::printf("%s cannot be read\n", path);
      return 2;
    }
    std::printf("%s: %s\n", path, target->run(bytes_of(*input)) ? "understood" : "refused");
  }
  return words.size() > 2 ? 0 : replay_apart(*target);
}

} // namespace
} // namespace inspect::test

int main(int count, char **words) {
  return inspect::test::run(std::span(words, static_cast<std::size_t>(count)));
}
