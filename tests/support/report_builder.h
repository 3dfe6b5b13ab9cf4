// Makes process reports by hand, for tests of grouping and of the writers.
#pragma once

#include "inspector/stack_report.h"

#include <initializer_list>
#include <string_view>

namespace inspect {

inline ProcessReport empty_report() {
  ProcessReport report;
  report.process = 4251;
  report.command = "server";
  report.executable = "/usr/bin/server";
  report.runtime.language = "c++";
  report.pause = std::chrono::microseconds(412);
  report.texts = std::make_shared<TextPool>();
  return report;
}

/// A frame of `function` at server.cpp:`line`; line 0: no source known, module libc.so.6.
inline ReportFrame make_frame(ProcessReport &report, std::string_view function, int line) {
  ReportFrame frame{};
  frame.pc = RunAddress{0x401000 + static_cast<std::uint64_t>(line)};
  frame.function = report.texts->intern(function);
  frame.offset = 0x2a;
  if (line > 0)
    frame.file = report.texts->intern("server.cpp");
  frame.line = line;
  frame.module = report.texts->intern(line > 0 ? "server" : "libc.so.6");
  return frame;
}

struct NamedLine {
  std::string_view function;
  int line;
};

inline ThreadReport &add_thread(ProcessReport &report, pid_t id, char state, std::initializer_list<NamedLine> frames) {
  ThreadReport thread;
  thread.thread = id;
  thread.name = "worker";
  thread.state = state;
  thread.state_text = state == 'R' ? "running" : "sleeping";
  for (const NamedLine &one : frames)
    thread.frames.push_back(make_frame(report, one.function, one.line));
  report.threads.push_back(std::move(thread));
  return report.threads.back();
}

} // namespace inspect
