#include "tests/commands/harm/harm_target.h"

#include "tests/support/catch.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect::test {
namespace {

std::vector<std::string> with_path(std::vector<std::string> command) {
  command.front() = fixture_path(command.front());
  return command;
}

int pick(std::mt19937 &random, int below) {
  return std::uniform_int_distribution<int>(0, below - 1)(random);
}

/// One of the commands that stop a process.
std::vector<std::string> a_command(const HarmTarget &target, std::mt19937 &random) {
  const std::string pid = target.pid();
  const std::array<std::vector<std::string>, 7> commands{{
      {"stacks", pid},
      {"stacks", pid, "--stopped", "--no-group"},
      {"stacks", pid, "--json", "--args", "values", "--locals"},
      {"mem", pid},
      {"attach", pid, "-e", "bt", "-e", "stop", "-e", "bt", "-e", "threads", "-e", "continue", "-e", "bt"},
      {"attach", pid, "--stop", "-e", "bt"},
      {"ps", pid},
  }};
  return commands[static_cast<std::size_t>(pick(random, commands.size()))];
}

/// Runs inspect with its outputs into `into` and nothing on its input, after `prepare` in its process; its wait status.
/// After `delay` microseconds (none: to its end) it gets `signal`.
int run(const std::vector<std::string> &arguments, const char *into, const std::function<void()> &prepare,
        std::optional<int> delay = {}, int signal = SIGKILL) {
  std::vector<char *> words{const_cast<char *>(inspect_program.c_str())};
  for (const std::string &word : arguments)
    words.push_back(const_cast<char *>(word.c_str()));
  words.push_back(nullptr);
  // The test program has handlers for what is sent here, which a forked copy of it must not run before its execv.
  constexpr std::array handled = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGPIPE};
  sigset_t held_back;
  sigset_t before;
  ::sigemptyset(&held_back);
  for (const int number : handled)
    ::sigaddset(&held_back, number);
  ::pthread_sigmask(SIG_BLOCK, &held_back, &before);
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int number : handled)
      ::signal(number, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    const int output = ::open(into, O_WRONLY | O_CLOEXEC);
    const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(input, 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    prepare();
    ::execv(inspect_program.c_str(), words.data());
    ::_exit(126);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0)
    throw std::runtime_error("fork failed");
  if (delay) {
    std::this_thread::sleep_for(std::chrono::microseconds(*delay));
    ::kill(child, signal);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

struct Limit {
  const char *name;
  int resource;
  rlim_t value;
};

constexpr std::array limits = {
    Limit{"descriptors", RLIMIT_NOFILE, 8},        Limit{"descriptors", RLIMIT_NOFILE, 24},
    Limit{"address space", RLIMIT_AS, 24U << 20},  Limit{"address space", RLIMIT_AS, 64U << 20},
    Limit{"address space", RLIMIT_AS, 256U << 20}, Limit{"data", RLIMIT_DATA, 2U << 20},
    Limit{"data", RLIMIT_DATA, 16U << 20},         Limit{"file size", RLIMIT_FSIZE, 0},
    Limit{"stack", RLIMIT_STACK, 128U << 10},      Limit{"locked memory", RLIMIT_MEMLOCK, 0},
};

} // namespace

HarmTarget::HarmTarget(std::vector<std::string> command) : child_(with_path(std::move(command))) {
  std::string line;
  while (line != "ready" && !line.starts_with("unable"))
    line = child_.read_line();
  if (line != "ready")
    unable_ = line;
}

unsigned long HarmTarget::progress() {
  child_.write("\n");
  unsigned long count = 0;
  std::istringstream(child_.read_line()) >> count;
  return count;
}

void HarmTarget::check_goes_on() {
  wait_until([&] { return what_is_wrong_with(process()).empty(); });
  CHECK(what_is_wrong_with(process()) == "");
  const unsigned long before = progress();
  CHECK(wait_until([&] { return progress() > before; }));
}

void HarmTarget::check_right() {
  child_.close_stdin();
  const std::string last = child_.read_all();
  INFO(last);
  CHECK(last.find("wrong") == std::string::npos);
  const int status = child_.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

std::string disturb(const HarmTarget &target, std::mt19937 &random) {
  const std::vector<std::string> command = a_command(target, random);
  const auto nothing = [] {};
  switch (pick(random, 8)) {
  case 0:
  case 1: {
    const int status = run(command, "/dev/null", nothing, pick(random, 60'000), SIGKILL);
    return WIFSIGNALED(status) ? "killed" : "over before it was killed";
  }
  case 2: {
    constexpr std::array signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGPIPE};
    const int status =
        run(command, "/dev/null", nothing, pick(random, 60'000), signals[static_cast<std::size_t>(pick(random, 6))]);
    return WIFSIGNALED(status) ? "ended by a signal" : "over before the signal";
  }
  case 3: {
    // Nobody reads what it prints.
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    ::close(ends[0]);
    run(command, "/dev/null", [&] { ::dup2(ends[1], 1); });
    ::close(ends[1]);
    return "closed pipe";
  }
  case 4:
    run(command, "/dev/full", nothing);
    return "full disk";
  case 5: {
    const Limit &limit = limits[static_cast<std::size_t>(pick(random, limits.size()))];
    run(command, "/dev/null", [&] {
      const rlimit value{limit.value, limit.value};
      ::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &value);
    });
    return fmt::format("limit on {}", limit.name);
  }
  case 6: {
    std::thread other([&] { run({"stacks", target.pid()}, "/dev/null", nothing); });
    run(command, "/dev/null", nothing);
    other.join();
    return "two at once";
  }
  default:
    run(command, "/dev/null", nothing);
    return "undisturbed";
  }
}

int harm_rounds(int usual) {
  const char *wanted = std::getenv("INSPECT_HARM_ROUNDS");
  return wanted != nullptr ? std::max(usual, std::atoi(wanted)) : usual;
}

void print_figures(const std::string &name, int rounds, const std::map<std::string, int> &counts) {
  std::string line = fmt::format("harm: {}: {} rounds", name, rounds);
  for (const auto &[what, count] : counts)
    line += fmt::format(", {} {}", count, what);
  std::printf("%s\n", line.c_str());
}

} // namespace inspect::test
