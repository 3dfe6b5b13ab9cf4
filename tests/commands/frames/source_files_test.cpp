// Which files `list` and `frame` show as source text: debugging information may name any file, and whoever inspects a
// process may read more than its owner.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/foreign_root.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace inspect::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

#define NEEDS_COMPILER()                                                                                               \
  if (!have_program("gcc"))                                                                                            \
  SKIP_TEST("gcc is not installed")

#define NEEDS_COMPILER_AND_ROOT()                                                                                      \
  NEEDS_COMPILER();                                                                                                    \
  if (::geteuid() != 0 || !have_program("setpriv"))                                                                    \
  SKIP_TEST("this needs root and setpriv")

const std::vector<std::string> as_nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};

void write_file(const std::string &path, std::string_view text, mode_t mode = 0644) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

/// A program in `folder` whose debugging information says that main is at line 1 and following of `source`.
std::string build(const TemporaryFolder &folder, const std::string &source) {
  const std::string text = folder / "text.c", program = folder / "program";
  write_file(text, fmt::format("#line 1 \"{}\"\n"
                               "int main(void) {{ extern int puts(const char *); extern int fflush(void *); "
                               "extern int pause(void); puts(\"ready\"); fflush(0); for (;;) pause(); }}\n",
                               source));
  const CommandResult built = run_command({"gcc", "-g", "-O0", "-o", program, text});
  INFO(built.err);
  REQUIRE(built.status == 0);
  return program;
}

ChildProcess start(const std::vector<std::string> &before, const std::string &program) {
  std::vector<std::string> words = before;
  words.push_back(program);
  ChildProcess process(words);
  process.wait_for_line();
  return process;
}

CommandResult list_file(const ChildProcess &process, const std::string &file) {
  return run_inspect({"attach", std::to_string(process.pid()), "-e", "list " + file + ":1", "-e", "frame 1", "-e",
                      "frame 2", "-e", "frame 3", "-e", "list main"});
}

constexpr std::string_view known_text = "the first line of a known text\n";

} // namespace

TEST_CASE("source text is shown where it is the target's") {
  NEEDS_COMPILER();
  const TemporaryFolder folder;
  for (const char *name : {"/src/server.cc", "/src/main.rs", "/go/pkg/mod/x@v1/a.go", "/usr/include/c++/12/vector"}) {
    const std::string source = folder / "tree" + name;
    write_file(source, known_text);
    const ChildProcess process = start({}, build(folder, source));
    const CommandResult listed = list_file(process, source);
    INFO(name << listed.out << listed.err);
    CHECK_THAT(listed.out, Contains("1: the first line of a known text"));
  }
}

TEST_CASE("what is no source file by its name or content is not shown") {
  NEEDS_COMPILER();
  const TemporaryFolder folder;
  struct Case {
    const char *name;
    std::string text;
    const char *reason;
  };
  const std::string binary = std::string(known_text) + '\0';
  for (const Case &one :
       {Case{"/etc/shadow", std::string(known_text), "source files are not called so"},
        Case{"/home/u/.ssh/id_rsa", std::string(known_text), "source files are not called so"},
        Case{"/home/u/.c", std::string(known_text), "source files are not called so"},
        Case{"/usr/include/c++/../../../etc/secret", std::string(known_text), "source files are not called so"},
        Case{"/data/values.c", binary, "it is no text"}}) {
    const std::string source = folder / "tree" + one.name;
    fs::create_directories(folder / "tree/usr/include/c++");
    write_file(source, one.text);
    const ChildProcess process = start({}, build(folder, source));
    const CommandResult listed = list_file(process, source);
    INFO(one.name << listed.out << listed.err);
    CHECK_THAT(listed.out, !Contains("the first line"));
    CHECK_THAT(listed.err, Contains("is not shown") && Contains(one.reason));
  }
  const std::string large = folder / "tree/large.c";
  write_file(large, known_text);
  fs::resize_file(large, 65 << 20);
  const ChildProcess process = start({}, build(folder, large));
  CHECK_THAT(list_file(process, large).err, Contains("too large"));
  const std::string pipe = folder / "tree/pipe.c";
  REQUIRE(::mkfifo(pipe.c_str(), 0644) == 0);
  CHECK_THAT(list_file(process, pipe).err, Contains("there is no source file"));
}

TEST_CASE("the machine's password file is never shown, whoever asks") {
  NEEDS_COMPILER();
  const TemporaryFolder folder;
  const ChildProcess process = start({}, build(folder, "/etc/shadow"));
  const CommandResult listed = list_file(process, "/etc/shadow");
  INFO(listed.out << listed.err);
  CHECK_THAT(listed.out, !Contains("root:"));
  CHECK_THAT(listed.err, Contains("/etc/shadow is named as a source file by the target and is not shown"));
}

TEST_CASE("what the target's user may not read is not shown to root") {
  NEEDS_COMPILER_AND_ROOT();
  const TemporaryFolder folder;
  const std::string secret = folder / "secret.c";
  write_file(secret, known_text, 0600);
  const std::string link = folder / "link.c";
  fs::create_symlink(secret, link);
  const std::string hidden = folder / "hidden/source.c";
  write_file(hidden, known_text);
  fs::permissions(folder / "hidden", fs::perms(0700));
  for (const std::string &source : {secret, link, hidden}) {
    const std::string program = build(folder, source);
    const ChildProcess theirs = start(as_nobody, program);
    const CommandResult refused = list_file(theirs, source);
    INFO(source << refused.out << refused.err);
    CHECK_THAT(refused.out, !Contains("the first line"));
    CHECK_THAT(refused.err, Contains("the target's own user may not read it"));
    const ChildProcess roots = start({}, program);
    CHECK_THAT(list_file(roots, source).out, Contains("1: the first line of a known text"));
  }
}

TEST_CASE("sources of a target with another root are read there and nowhere else") {
  NEEDS_COMPILER_AND_ROOT();
  const TemporaryFolder folder;
  const std::string inside = folder / "tree/src/inside.c", outside = folder / "tree/src/outside.c";
  for (const std::string &source : {inside, outside}) {
    const std::string program = build(folder, source);
    const std::string root = folder / fs::path(source).stem().string();
    copy_with_libraries(program, root, "/program");
    write_file(source, "the host's text\n");
    if (source == inside)
      write_file(root + source, "the container's text\n");
    fs::create_directories(root + "/etc");
    write_file(root + "/etc/secret.c", "the container's own secret\n");
    fs::create_symlink("/etc/secret.c", root + "/away.c"); // absolute: below the target's root
    write_file(folder / "etc/secret.c", "unused\n");
    ChildProcess process({"chroot", root, "/program"});
    process.wait_for_line();
    const CommandResult listed = list_file(process, source);
    INFO(source << listed.out << listed.err);
    CHECK_THAT(listed.out, !Contains("the host's text"));
    if (source == inside)
      CHECK_THAT(listed.out, Contains("1: the container's text"));
    else
      CHECK_THAT(listed.err, Contains("there is no source file") && Contains("in the target's root"));
    CHECK_THAT(list_file(process, "/away.c").out, Contains("the container's own secret"));
  }
}
