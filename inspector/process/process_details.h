// Everything worth knowing of one process, as plain data: what `inspect ps PID` prints. Nothing is stopped for it and
// no memory of the process is read.
//
//     auto details = read_process_details(4251, {.over = std::chrono::seconds(2)});
//
// What may not be seen is absent, and `not_permitted` names it once with the remedy; what a kernel thread or a zombie
// does not have is absent without a word.
#pragma once

#include "attach/cgroup/control_groups.h"
#include "attach/procfs/namespaces.h"
#include "attach/procfs/process_limits.h"
#include "attach/procfs/security_state.h"
#include "inspector/process/open_sockets.h"
#include "inspector/process/process_table.h"
#include "inspector/process/processor_use.h"
#include "inspector/target/program_build.h"

#include <array>
#include <chrono>
#include <map>

namespace inspect {

struct Ancestor {
  pid_t process = 0;
  std::string name;
};

/// Names, or the numbers where there are none.
struct ProcessUsers {
  std::string real_user;
  std::string effective_user;
  std::string real_group;
  std::string effective_group;
};

/// A directory that /proc/PID links to.
struct LinkedDirectory {
  std::string path;
  bool deleted = false;
};

struct ProcessTimes {
  std::uint64_t elapsed = 0; ///< milliseconds since its start
  std::uint64_t user = 0;    ///< milliseconds of processor time
  std::uint64_t system = 0;  ///< milliseconds of processor time
};

/// Of all open descriptors.
struct DescriptorSummary {
  std::vector<OpenDescriptor> all; ///< ascending by number
  std::map<DescriptorKind, std::size_t> by_kind;
  std::size_t deleted = 0;         ///< files without a name
  std::uint64_t deleted_bytes = 0; ///< what these still take, each file once for each descriptor
  bool truncated = false;          ///< there are more than are read
};

/// A file with code that is mapped, the executable not among them.
struct MappedLibrary {
  std::string path;
  bool deleted = false; ///< replaced or removed since: as a rule by an upgrade, after which a restart is due
};

/// How likely the kernel ends it when memory is short: man page proc(5), oom_score.
struct OutOfMemoryScore {
  int score = 0;
  int adjustment = 0;
};

/// What could not be had because a right is missing.
struct NotPermitted {
  std::vector<std::string> what; ///< "open files", "namespaces"; empty: nothing was refused
  std::string why;               ///< a sentence without full stop
  std::string remedy;            ///< the same
};

struct ProcessDetails {
  ProcessRow row;
  std::vector<Ancestor> parents; ///< nearest first, up to init or to where our pid namespace ends
  pid_t id_in_namespace = 0;     ///< its own number of itself where that differs from ours; else 0
  std::optional<ProcessUsers> users;
  std::optional<LinkedDirectory> working_directory;
  std::optional<LinkedDirectory> root; ///< only where it is not ours
  ProcessTimes times;
  std::optional<ProcessorUse> recent_use; ///< over the time asked for
  std::map<char, std::size_t> threads_by_state;
  std::optional<MemoryStatus> memory;
  std::uint64_t machine_memory = 0; ///< bytes; 0: unknown
  std::optional<DescriptorSummary> descriptors;
  std::optional<std::uint64_t> descriptor_count; ///< known even where the descriptors may not be seen (Linux 6.2)
  std::optional<OpenSockets> sockets;
  std::optional<ProcessLimits> limits;
  std::optional<Capabilities> capabilities;
  std::optional<std::vector<NamespaceMembership>> namespaces;
  std::vector<ControlGroup> control_groups;
  std::optional<ProgramBuild> build;
  std::optional<std::vector<MappedLibrary>> libraries; ///< in the order of their first mapping
  std::optional<SecurityState> security;
  std::optional<OutOfMemoryScore> out_of_memory;
  NotPermitted not_permitted;
  std::vector<std::string> warnings; ///< what else is missing, and why
};

struct ProcessDetailsOptions {
  std::chrono::milliseconds over{0}; ///< how long to watch its processor use; 0: not at all
};

/// Whether that is the number of a process, and not of one of its other threads.
bool is_process(pid_t number);

/// no_such_process: there is none of that number (a thread's number is none), or it ended meanwhile.
Result<ProcessDetails> read_process_details(pid_t process, const ProcessDetailsOptions &options);

} // namespace inspect
