// Go processes whose tables and structures are damaged, that were packed, or are too old: what cannot be shown is said,
// the rest is, and nothing hangs. And the other way round: a dump that is killed leaves the Go program running.
#include "golang/goroutines/goroutine_list.h"
#include "inspector/target/target.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/process_health.h"
#include "tests/support/skip.h"
#include "tests/support/stacks_json.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <random>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;

/// Twenty goroutines wait in main.receive of a stripped program; their structures can be changed.
class Patient {
public:
  Patient() : process_({build_go(go_toolchains().back(), "goroutine_leak", GoVariant::stripped), "-n", "20"}) {
    process_.wait_for_line();
    auto target = Target::open(process_.pid(), {});
    if (!target)
      FAIL(target.error().message());
    target_ = std::move(*target);
    const auto runtime = target_->go_runtime();
    if (!runtime)
      FAIL(runtime.error().message());
    runtime_ = *runtime;
    memory_ = ::open(fmt::format("/proc/{}/mem", process_.pid()).c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(memory_ >= 0);
    find_victims();
  }
  Patient(const Patient &) = delete;
  Patient &operator=(const Patient &) = delete;
  ~Patient() { ::close(memory_); }

  pid_t pid() const { return process_.pid(); }
  GoRuntime &runtime() const { return *runtime_; }
  const RuntimeLayout::G &layout() const { return runtime_->layout().g; }
  RunAddress list() const { return runtime_->goroutine_list().value(); }
  /// Those that wait in main.receive.
  const std::vector<Goroutine> &victims() const { return victims_; }

  template <typename T> void poke(RunAddress address, T value) const {
    REQUIRE(::pwrite(memory_, &value, sizeof value, static_cast<off_t>(address.value)) == sizeof value);
  }
  template <typename T> T peek(RunAddress address) const {
    T value{};
    REQUIRE(::pread(memory_, &value, sizeof value, static_cast<off_t>(address.value)) == sizeof value);
    return value;
  }

private:
  void find_victims() {
    GoroutineList all(runtime_->layout(), target_->memory());
    REQUIRE(all.find(list()));
    std::vector<Goroutine> found(all.slots());
    all.read([&](std::size_t, std::size_t slot, const Goroutine &goroutine) { found[slot] = goroutine; });
    const Json dump = stacks_json(pid());
    for (const Json &one : goroutines_in(dump, "main.receive"))
      victims_.push_back(*std::ranges::find(found, one["id"].get<std::uint64_t>(), &Goroutine::id));
    REQUIRE(victims_.size() == 20);
  }

  ChildProcess process_;
  std::unique_ptr<Target> target_;
  GoRuntime *runtime_ = nullptr;
  int memory_ = -1;
  std::vector<Goroutine> victims_;
};

/// Puts another value in place for as long as it lives.
template <typename T> class Damage {
public:
  Damage(const Patient &patient, RunAddress address, T value)
      : patient_(patient), address_(address), before_(patient.peek<T>(address)) {
    patient.poke(address, value);
  }
  Damage(const Damage &) = delete;
  Damage &operator=(const Damage &) = delete;
  ~Damage() { patient_.poke(address_, before_); }

private:
  const Patient &patient_;
  RunAddress address_;
  T before_;
};

RunAddress field(const Goroutine &goroutine, FieldOffset offset) {
  return goroutine.address + static_cast<std::uint64_t>(offset);
}

const Json *find_goroutine(const Json &dump, std::uint64_t id) {
  for (const Json &one : dump["goroutines"])
    if (one["id"] == id)
      return &one;
  return nullptr;
}

/// What is right again is shown whole again.
void check_recovered(const Patient &patient) {
  const Json dump = stacks_json(patient.pid());
  check_complete(dump);
  CHECK(goroutines_in(dump, "main.receive").size() == 20);
  CHECK(what_is_wrong_with(patient.pid()) == "");
}

/// One goroutine is damaged; of the others nothing is missing.
Json dump_with_others(const Patient &patient) {
  Json dump = stacks_json(patient.pid());
  CHECK(goroutines_in(dump, "main.receive").size() >= 19);
  // All other formats must cope as well.
  for (const char *format : {"text", "go", "folded"})
    CHECK(run_inspect({"stacks", std::to_string(patient.pid()), "--internal", "--format", format}).status == 0);
  return dump;
}

/// The smallest file that is an executable and holds these bytes behind its headers: it waits for ever.
std::string waiting_program(const TemporaryDirectory &folder, std::string_view data) {
  constexpr std::uint64_t base = 0x400000;
  // pause(); again
  constexpr unsigned char code[] = {0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7};
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  constexpr std::uint64_t page = 0x1000;
  constexpr std::uint64_t data_at = sizeof header + 2 * sizeof(Elf64_Phdr);
  header.e_entry = base + page;
  Elf64_Phdr segments[2]{}; // data, code
  for (Elf64_Phdr &segment : segments) {
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R;
    segment.p_vaddr = segment.p_paddr = base;
    segment.p_filesz = segment.p_memsz = data_at + data.size();
    segment.p_align = page;
  }
  segments[1].p_flags = PF_R | PF_X;
  segments[1].p_offset = page;
  segments[1].p_vaddr = segments[1].p_paddr = base + page;
  segments[1].p_filesz = segments[1].p_memsz = sizeof code;
  std::string bytes(page, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, segments, sizeof segments);
  std::memcpy(bytes.data() + data_at, data.data(), data.size());
  bytes.append(reinterpret_cast<const char *>(code), sizeof code);
  return folder.write("program", bytes, 0755);
}

/// Threads are shown; goroutines are refused in a sentence with a remedy.
void check_refused(const std::string &program, const std::string &sentence, const std::string &remedy) {
  const ChildProcess process({program});
  const std::string pid = std::to_string(process.pid());
  REQUIRE(wait_until([&] { return status_field(process.pid(), "State").starts_with("S"); }));
  const CommandResult threads = run_inspect({"stacks", pid});
  CHECK(threads.status == 0);
  CHECK_THAT(threads.out, Contains("thread " + pid) && Contains("pause()"));
  CHECK_THAT(threads.err, Contains("the goroutines are missing") && Contains(sentence));
  const CommandResult goroutines = run_inspect({"stacks", pid, "--goroutines"});
  CHECK(goroutines.status == 1);
  CHECK(goroutines.out == "");
  CHECK_THAT(goroutines.err, Contains(sentence) && Contains(remedy));
}

#define NEEDS_GO()                                                                                                     \
  if (go_toolchains().empty())                                                                                         \
  SKIP_TEST("no Go toolchain is installed")

} // namespace

TEST_CASE("a packed program: what it is, and what to do") {
  const TemporaryDirectory folder;
  check_refused(waiting_program(folder, "UPX!"), "is packed with UPX", "upx -d");
}

TEST_CASE("a program of a Go older than 1.16: what it is, and what to do") {
  const TemporaryDirectory folder;
  // The header of the table of functions as Go 1.2 to 1.15 wrote it, of no functions and no files.
  std::string table("\xfb\xff\xff\xff\0\0\x01\x08", 8);
  table.append(64, '\0');
  check_refused(waiting_program(folder, table), "built with Go 1.15 or older", "rebuild it with Go 1.16 or newer");
}

TEST_CASE("goroutines asked of a native process: a sentence and the remedy") {
  ChildProcess native({fixture_path("many_threads"), "3", "2"});
  native.wait_for_line();
  const std::string pid = std::to_string(native.pid());
  const CommandResult result = run_inspect({"stacks", pid, "--goroutines"});
  CHECK(result.status == 1);
  CHECK(result.out == "");
  CHECK_THAT(result.err, Contains(fmt::format("process {} (many_threads) is not a Go program", pid)) &&
                             Contains("try: leave out --goroutines to see its threads"));
}

TEST_CASE("one goroutine's structure is damaged: that one says so, the others are shown") {
  NEEDS_GO();
  const Patient patient;
  const RuntimeLayout::G &g = patient.layout();
  const Goroutine &victim = patient.victims().front();
  {
    INFO("its stack is being moved, and the stack pointer is still in the old one");
    const Damage<std::uint32_t> status(patient, field(victim, g.status), 8);
    const Damage<std::uint64_t> sp(patient, field(victim, g.sched_sp), victim.stack.begin.value - 64);
    const Json dump = dump_with_others(patient);
    const Json *one = find_goroutine(dump, victim.id);
    REQUIRE(one != nullptr);
    CHECK((*one)["end"]["reason"] == "not_captured");
    CHECK((*one)["end"]["detail"] == "its stack was just being moved");
    CHECK(dump["warnings"].empty());
  }
  {
    INFO("its stack is being moved, and is whole");
    const Damage<std::uint32_t> status(patient, field(victim, g.status), 8);
    check_complete(dump_with_others(patient));
  }
  {
    INFO("a status that there is not");
    const Damage<std::uint32_t> status(patient, field(victim, g.status), 77);
    CHECK_THAT(dump_with_others(patient)["warnings"].dump(), Contains("1 goroutines have a status"));
  }
  {
    INFO("a stack where nothing is mapped");
    const Damage<std::uint64_t> low(patient, field(victim, g.stack_lo), 0x10000);
    const Damage<std::uint64_t> high(patient, field(victim, g.stack_hi), 0x12000);
    const Damage<std::uint64_t> sp(patient, field(victim, g.sched_sp), 0x11f00);
    const Json dump = dump_with_others(patient);
    const Json *one = find_goroutine(dump, victim.id);
    REQUIRE(one != nullptr);
    CHECK((*one)["end"]["reason"] == "unreadable_memory");
    CHECK((*one)["frames"].size() == 1);
  }
  for (const std::uint64_t high : {std::uint64_t{0}, ~std::uint64_t{0}, victim.stack.begin.value + 8}) {
    INFO("a stack that ends at " << high);
    const Damage<std::uint64_t> end(patient, field(victim, g.stack_hi), high);
    const Json dump = dump_with_others(patient);
    REQUIRE(find_goroutine(dump, victim.id) != nullptr);
  }
  for (const FieldOffset offset : {g.sched_pc, g.sched_sp, g.created_pc, g.start_pc, g.m, g.waiting, g.labels}) {
    INFO("nonsense at offset " << offset);
    const Damage<std::uint64_t> nonsense(patient, field(victim, offset), 0x1234567);
    const Json dump = dump_with_others(patient);
    REQUIRE(find_goroutine(dump, victim.id) != nullptr);
  }
  check_recovered(patient);
}

TEST_CASE("random words in the structures of goroutines: a dump of them and of the others, every time") {
  NEEDS_GO();
  const Patient patient;
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto words = static_cast<std::uint64_t>(patient.layout().size) / 8;
  for (int round = 0; round < 40; ++round) {
    std::vector<std::unique_ptr<Damage<std::uint64_t>>> damage;
    for (std::size_t i = 0; i < 3; ++i) {
      const Goroutine &victim = patient.victims()[i];
      const RunAddress word = victim.address + random() % words * 8;
      const std::uint64_t values[] = {random(), patient.victims()[i + 1].address.value, victim.stack.begin.value, 0,
                                      victim.pc.value + random() % 64};
      damage.push_back(std::make_unique<Damage<std::uint64_t>>(patient, word, values[random() % std::size(values)]));
    }
    const CommandResult result = run_inspect({"stacks", std::to_string(patient.pid()), "--json", "--args", "values"});
    INFO(result.err);
    REQUIRE(result.status == 0);
    CHECK(goroutines_in(Json::parse(result.out), "main.receive").size() >= 17);
    while (!damage.empty())
      damage.pop_back(); // the last one first, should two be of one word
  }
  check_recovered(patient);
}

TEST_CASE("the list of goroutines is damaged: said, and threads are shown") {
  NEEDS_GO();
  const Patient patient;
  const RunAddress list = patient.list();
  for (const std::uint64_t array : {std::uint64_t{0}, std::uint64_t{0x1000}, ~std::uint64_t{0}, list.value}) {
    INFO("the array is at " << array);
    const Damage<std::uint64_t> pointer(patient, list, array);
    const Json dump = stacks_json(patient.pid());
    CHECK(dump["threads"].size() > 2);
    CHECK_FALSE(dump["warnings"].empty());
    const CommandResult result = run_inspect({"stacks", std::to_string(patient.pid()), "--goroutines"});
    CHECK((result.status == 1 || !result.err.empty()));
  }
  for (const std::uint64_t count : {std::uint64_t{1} << 20, ~std::uint64_t{0}, std::uint64_t{0}}) {
    INFO("it has " << count << " elements");
    const Damage<std::uint64_t> length(patient, list + 8, count);
    const Json dump = stacks_json(patient.pid());
    CHECK(dump["threads"].size() > 2);
    CHECK_FALSE(dump["warnings"].empty());
  }
  {
    INFO("an element leads nowhere");
    const auto array = patient.peek<std::uint64_t>(list);
    const Damage<std::uint64_t> element(patient, RunAddress{array + 8 * 12}, 0x123);
    CHECK_THAT(dump_with_others(patient)["warnings"].dump(), Contains("1 entries of the list"));
  }
  check_recovered(patient);
}

TEST_CASE("the table of functions is overwritten in memory: a dump, or a sentence that says so") {
  NEEDS_GO();
  const Patient patient;
  const RunAddress table = patient.runtime().images().front().data.header;
  for (const std::uint64_t offset : {0, 8, 16, 24, 32, 64}) {
    INFO("at " << offset);
    const Damage<std::uint64_t> header(patient, table + offset, 0x5a5a5a5a5a5a5a5a);
    const CommandResult result = run_inspect({"stacks", std::to_string(patient.pid()), "--json"});
    INFO(result.err);
    REQUIRE(result.status == 0);
    const Json dump = Json::parse(result.out);
    CHECK(dump["threads"].size() > 2);
    CHECK((goroutines_in(dump, "main.receive").size() == 20 || !dump["warnings"].empty()));
  }
  check_recovered(patient);
}

TEST_CASE("fifty dumps of a busy Go program, each killed at a random moment: it goes on") {
  NEEDS_GO();
  ChildProcess target(
      {build_go(go_toolchains().back(), "stack_switches"), "collect", "grow", "park", "signal", "call"});
  target.wait_for_line();
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> microseconds(0, 80'000);
  int killed = 0;
  for (int round = 0; round < 50; ++round) {
    ChildProcess dump({INSPECT_BINARY_DIRECTORY "/inspect", "stacks", std::to_string(target.pid()), "-o", "/dev/null"});
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
    ::kill(dump.pid(), SIGKILL); // not reaped yet, so that the number is still its own
    killed += WIFSIGNALED(dump.wait());
  }
  CHECK(killed > 0);
  CHECK(wait_until([&] { return what_is_wrong_with(target.pid()).empty(); }));
  const auto cpu_time = [&] {
    std::ifstream file(fmt::format("/proc/{}/schedstat", target.pid()));
    std::uint64_t nanoseconds = 0;
    file >> nanoseconds;
    return nanoseconds;
  };
  const auto switches = [&] {
    return std::stoul("0" + status_field(target.pid(), "voluntary_ctxt_switches")) + cpu_time();
  };
  const auto before = switches();
  CHECK(wait_until([&] { return switches() > before; }));
  CHECK(stacks_json(target.pid())["goroutines"].size() > 5);
}

} // namespace inspect::test
