#include "tests/commands/truth/snapshot_subjects.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace inspect::test {
namespace {

/// What a program is given to do: a file beside this one.
std::string task(std::string_view name) {
  std::ifstream file(fmt::format("{}/tests/commands/truth/snapshots/{}", INSPECT_SOURCE_DIRECTORY, name));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty())
    throw std::runtime_error(fmt::format("there is no {}", name));
  return text;
}

/// Places that a task leads to once are passed by often nevertheless.
constexpr int rounds = 12;

std::string repeated(const std::string &text) {
  std::string all;
  for (int i = 0; i < rounds; ++i)
    all += text;
  return all;
}

/// A program that reads what to do from its stdin, to the end.
class StdinSubject : public SnapshotSubject {
public:
  StdinSubject(std::vector<std::string> command, std::string input)
      : program_(std::move(command)), input_(std::move(input)) {}
  pid_t pid() const override { return program_.pid(); }
  void start() override {
    program_.write(input_);
    program_.close_stdin();
  }

private:
  ChildProcess program_;
  std::string input_;
};

class RedisSubject : public SnapshotSubject {
public:
  explicit RedisSubject(const std::string &folder)
      : folder_(folder), socket_(directory_ / "socket"),
        server_({folder + "/redis-server", "--port", "0", "--unixsocket", socket_, "--dir", directory_.path(), "--save",
                 "", "--io-threads", "2", "--hash-max-listpack-entries", "100"}) {
    if (!wait_until([&] { return std::filesystem::exists(socket_); }))
      throw std::runtime_error("redis-server does not listen");
  }
  pid_t pid() const override { return server_.pid(); }
  void start() override {
    // Nobody reads its answers, and a pipe has an end.
    client_.emplace(
        std::vector<std::string>{"sh", "-c", "exec \"$0\" -s \"$1\" >/dev/null", folder_ + "/redis-cli", socket_});
    client_->write(repeated(task("redis.txt")));
  }

private:
  std::string folder_;
  TemporaryDirectory directory_;
  std::string socket_;
  ChildProcess server_;
  std::optional<ChildProcess> client_;
};

} // namespace

const SnapshotProgram &snapshot_program(std::string_view name) {
  static const std::vector<SnapshotProgram> programs{
      {"lua",
       {"luaT_trybinTM", "match", "auxsort", "lua_yieldk", "propagatemark", "tostringbuff", "luaK_exp2nextreg",
        "luaH_newkey", "luaG_runerror", "luaV_concat", "str_pack", "luaF_close"},
       [](const std::string &folder) -> std::unique_ptr<SnapshotSubject> {
         return std::make_unique<StdinSubject>(std::vector<std::string>{folder + "/lua", "-"}, task("lua.lua"));
       }},
      {"redis",
       {"zslInsert", "sortCompare", "luaV_execute", "auxsort", "rdbSaveObject", "lpInsert", "hllSparseSet",
        "streamAppendItem", "geoWithinShape", "dictScan", "zuiNext", "lazyfreeFreeObject"},
       [](const std::string &folder) -> std::unique_ptr<SnapshotSubject> {
         return std::make_unique<RedisSubject>(folder);
       }},
      {"sqlite",
       {"balance_nonroot", "sqlite3VdbeSorterWrite", "whereLoopAddBtreeIndex", "sqlite3ExprCodeTarget",
        "sqlite3_str_vappendf", "jsonParseValue", "patternCompare", "sqlite3BtreeInsert", "yy_reduce", "windowAggStep",
        "renameParseSql", "pagerStress"},
       [](const std::string &folder) -> std::unique_ptr<SnapshotSubject> {
         return std::make_unique<StdinSubject>(std::vector<std::string>{folder + "/sqlite3", "-batch"},
                                               repeated(task("sqlite.sql")));
       }},
  };
  return *std::ranges::find(programs, name, &SnapshotProgram::name);
}

} // namespace inspect::test
