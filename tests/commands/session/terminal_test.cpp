// A session on a terminal: prompt, editing, completion, Ctrl-C, Ctrl-D, history.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/process_health.h"
#include "tests/support/terminal.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

using namespace inspect::test;

namespace {

/// A running target, a folder of its own for the history, and a session on a terminal.
struct Typist {
  ChildProcess target{{fixture_path("known_words")}};
  std::filesystem::path folder;
  std::string word; ///< the address of the_word

  Typist() {
    std::istringstream(target.read_line()) >> word;
    target.wait_for_line("ready");
    std::string name = "/tmp/inspect-test-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~Typist() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  std::vector<std::string> command() const {
    return {"/usr/bin/env",
            "XDG_STATE_HOME=" + folder.string(),
            "HOME=" + folder.string(),
            INSPECT_BINARY_DIRECTORY "/inspect",
            "attach",
            std::to_string(target.pid())};
  }
  std::string prompt(const std::string &state) const { return fmt::format("(inspect {} {}) ", target.pid(), state); }
};

constexpr const char *control_c = "\x03";
constexpr const char *control_d = "\x04";

} // namespace

TEST_CASE("the prompt says whether the target runs or is held") {
  const Typist typist;
  Terminal session(typist.command());
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type("stop\r");
  REQUIRE(session.wait_for(typist.prompt("held")));
  session.type("continue\r");
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type(control_d);
  CHECK(session.wait_for_end() == 0);
  CHECK(session.unseen().find("the target runs on") != std::string::npos);
  CHECK(what_is_wrong_with(typist.target.pid()).empty());
}

TEST_CASE("an empty line repeats the last command") {
  const Typist typist;
  Terminal session(typist.command());
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type("x -size 4 the_word\r");
  REQUIRE(session.wait_for(":   0x97ff9ee9"));
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type("\r");
  REQUIRE(session.wait_for(":   0x97ff9ee9"));
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type("exit\r");
  CHECK(session.wait_for_end() == 0);
}

TEST_CASE("Tab completes commands, options, their values, threads, symbols, files and settings") {
  const Typist typist;
  Terminal session(typist.command());
  REQUIRE(session.wait_for(typist.prompt("running")));
  // What appears is the rest of the word: the editor moves the cursor and leaves what is there already.
  struct Row {
    std::string typed;
    std::string appears;
  };
  const std::string pid = std::to_string(typist.target.pid());
  const Row rows[] = {
      {"lib\t", "raries "},         {"x -cou\t", "nt "},
      {"x -fmt de\t", "c "},        {"thread " + pid.substr(0, 1) + "\t", pid.substr(1) + " "},
      {"list patch_\t", "me "},     {"list shop::Ti\t", "ll::open_for_business "},
      {"source /etc/pass\t", "wd"}, {"config disass\t", "emble-flavor "},
      {"help disass\t", "emble "},
  };
  for (const Row &row : rows) {
    CAPTURE(row.typed);
    session.type(row.typed);
    const bool appeared = session.wait_for(row.appears, std::chrono::seconds(20));
    CAPTURE(session.unseen());
    REQUIRE(appeared);
    session.type(control_c);
    REQUIRE(session.wait_for(typist.prompt("running")));
  }
  // Several candidates: a second Tab lists them.
  session.type("thr\t");
  REQUIRE(session.wait_for("ead"));
  session.type("\t");
  REQUIRE(session.wait_for("thread  threads"));
  session.type(control_c);
  REQUIRE(session.wait_for(typist.prompt("running")));
}

TEST_CASE("Ctrl-C gives up the line at the prompt, and a long command, without leaving") {
  const Typist typist;
  const std::filesystem::path script = typist.folder / "long";
  {
    std::ofstream file(script);
    for (int line = 0; line < 200'000; ++line)
      file << "bt\n";
  }
  Terminal session(typist.command());
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type("this is not a command");
  session.type(control_c);
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type("x -size 4 the_word\r");
  REQUIRE(session.wait_for(":   0x97ff9ee9"));
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type("source " + script.string() + "\r");
  REQUIRE(session.wait_for("wait_for_line"));
  REQUIRE(session.wait_for("wait_for_line"));
  session.type(control_c);
  REQUIRE(session.wait_for(typist.prompt("running"), std::chrono::seconds(60)));
  session.type("x -size 4 the_word\r");
  REQUIRE(session.wait_for(":   0x97ff9ee9"));
  CHECK(session.unseen().find("no command 'this'") == std::string::npos);
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type(control_d);
  CHECK(session.wait_for_end() == 0);
  CHECK(what_is_wrong_with(typist.target.pid()).empty());
}

TEST_CASE("the history is kept from session to session, for its owner only") {
  const Typist typist;
  {
    Terminal session(typist.command());
    REQUIRE(session.wait_for(typist.prompt("running")));
    session.type("x -size 4 the_word\r");
    REQUIRE(session.wait_for(":   0x97ff9ee9"));
    REQUIRE(session.wait_for(typist.prompt("running")));
    session.type("exit\r");
    CHECK(session.wait_for_end() == 0);
  }
  const std::filesystem::path history = typist.folder / "inspect/history";
  struct stat status {};
  REQUIRE(::stat(history.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  std::ostringstream text;
  text << std::ifstream(history).rdbuf();
  CHECK(text.str().find("the_word") != std::string::npos);
  Terminal session(typist.command());
  REQUIRE(session.wait_for(typist.prompt("running")));
  session.type("\x10"); // Ctrl-P: the line before, which was `exit`
  session.type("\x10");
  REQUIRE(session.wait_for("the_word"));
  session.type("\r");
  REQUIRE(session.wait_for(":   0x97ff9ee9"));
}

TEST_CASE("a session says that its target has ended, and can still be left") {
  const Typist typist;
  Terminal session(typist.command());
  REQUIRE(session.wait_for(typist.prompt("running")));
  typist.target.signal(SIGKILL);
  // Its parent has not reaped it: a zombie has ended as well.
  REQUIRE(wait_until([&] { return status_field(typist.target.pid(), "State").starts_with("Z"); }));
  session.type("bt\r");
  REQUIRE(session.wait_for("has ended"));
  REQUIRE(session.wait_for(typist.prompt("ended")));
  session.type("exit\r");
  CHECK(session.wait_for_end() == 0);
}
