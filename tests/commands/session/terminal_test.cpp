// A session on a terminal: prompt, editing, completion, Ctrl-C, Ctrl-D, history.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/process_health.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/terminal.h"

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/stat.h>

using namespace inspect::test;

namespace {

/// A running target, and a folder for the history of its sessions.
struct Typist {
  ChildProcess target{{fixture_path("known_words")}};
  TemporaryDirectory folder;

  Typist() { target.wait_for_line("ready"); }
  SessionTerminal session() const { return {INSPECT_BINARY_DIRECTORY "/inspect", target.pid(), folder.path()}; }
};

constexpr const char *examine_word = "x -size 4 the_word";
constexpr const char *word_line = ":   0x97ff9ee9";
constexpr const char *control_c = "\x03";
constexpr const char *control_d = "\x04";

} // namespace

TEST_CASE("the prompt says whether the target runs or is held") {
  const Typist typist;
  SessionTerminal session = typist.session();
  REQUIRE(session.run("stop", "", "held"));
  REQUIRE(session.run("continue"));
  session.type(control_d);
  CHECK(session.wait_for_end() == 0);
  CHECK(session.unseen().find("the target runs on") != std::string::npos);
  CHECK(what_is_wrong_with(typist.target.pid()).empty());
}

TEST_CASE("an empty line repeats the last command") {
  const Typist typist;
  SessionTerminal session = typist.session();
  REQUIRE(session.run(examine_word, word_line));
  REQUIRE(session.run("", word_line));
  session.type("exit\r");
  CHECK(session.wait_for_end() == 0);
}

TEST_CASE("Tab completes commands, options, their values, threads, symbols, files and settings") {
  const Typist typist;
  SessionTerminal session = typist.session();
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
    REQUIRE(session.wait_for_prompt());
  }
  // Several candidates: a second Tab lists them.
  session.type("thr\t");
  REQUIRE(session.wait_for("ead"));
  session.type("\t");
  REQUIRE(session.wait_for("thread  threads"));
  session.type(control_c);
  REQUIRE(session.wait_for_prompt());
}

TEST_CASE("Ctrl-C gives up the line at the prompt, and a long command, without leaving") {
  const Typist typist;
  std::string lines;
  for (int line = 0; line < 200'000; ++line)
    lines += "bt\n";
  const std::string script = typist.folder.write("long", lines);
  SessionTerminal session = typist.session();
  session.type("this is not a command");
  session.type(control_c);
  REQUIRE(session.wait_for_prompt());
  REQUIRE(session.run(examine_word, word_line));
  session.type("source " + script + "\r");
  REQUIRE(session.wait_for("wait_for_line"));
  REQUIRE(session.wait_for("wait_for_line"));
  session.type(control_c);
  REQUIRE(session.wait_for_prompt("running", std::chrono::seconds(60)));
  session.type(std::string(examine_word) + "\r");
  REQUIRE(session.wait_for(word_line));
  CHECK(session.unseen().find("no command 'this'") == std::string::npos);
  REQUIRE(session.wait_for_prompt());
  session.type(control_d);
  CHECK(session.wait_for_end() == 0);
  CHECK(what_is_wrong_with(typist.target.pid()).empty());
}

TEST_CASE("the history is kept from session to session, for its owner only") {
  const Typist typist;
  {
    SessionTerminal session = typist.session();
    REQUIRE(session.run(examine_word, word_line));
    session.type("exit\r");
    CHECK(session.wait_for_end() == 0);
  }
  const std::string history = typist.folder / "inspect/history";
  struct stat status {};
  REQUIRE(::stat(history.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  std::ostringstream text;
  text << std::ifstream(history).rdbuf();
  CHECK(text.str().find("the_word") != std::string::npos);
  SessionTerminal session = typist.session();
  session.type("\x10"); // Ctrl-P: the line before, which was `exit`
  session.type("\x10");
  REQUIRE(session.wait_for("the_word"));
  session.type("\r");
  REQUIRE(session.wait_for(word_line));
}

TEST_CASE("a session says that its target has ended, and can still be left") {
  const Typist typist;
  SessionTerminal session = typist.session();
  typist.target.signal(SIGKILL);
  // Its parent has not reaped it: a zombie has ended as well.
  REQUIRE(wait_until([&] { return status_field(typist.target.pid(), "State").starts_with("Z"); }));
  session.type("bt\r");
  REQUIRE(session.wait_for("has ended"));
  REQUIRE(session.wait_for_prompt("ended"));
  session.type("exit\r");
  CHECK(session.wait_for_end() == 0);
}
