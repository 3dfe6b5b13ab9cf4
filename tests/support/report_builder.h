// Makes process reports by hand, for tests of grouping and of the writers.
#pragma once

#include "inspector/stacks/stack_report.h"

#include <deque>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

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

/// Go's part of a report, made step by step; `finish` puts it into the report.
class GoReportBuilder {
public:
  explicit GoReportBuilder(ProcessReport &report) : report_(report), owned_(std::make_shared<Owned>()) {
    owned_->texts = report.texts;
    report.texts = std::shared_ptr<TextPool>(owned_, owned_->texts.get());
    report.runtime.language = "go";
    report.runtime.version = "go1.22.12";
    go_.runtimes = {{.version = "go1.22.12", .image = report.executable, .layout_note = {}}};
    go_.goroutines.reserve(64); // what add() returned stays where it is
  }

  /// At /src/svc.go:`line`; functions of package runtime are hidden in tracebacks.
  ReportFrame frame(std::string_view function, int line) {
    ReportFrame frame = make_frame(report_, function, line);
    frame.go = true;
    frame.offset = 0x59;
    frame.file = report_.texts->intern(function.starts_with("runtime.") ? "/go/src/runtime/proc.go" : "/src/svc.go");
    frame.hidden_in_traceback = function.starts_with("runtime.");
    return frame;
  }
  /// Gives it arguments: 'w' is a word, '?' a stale one, '.' the end "..."; braces are themselves.
  void describe_arguments(ReportFrame &frame, std::string_view tokens, std::uint32_t first_word = 0) {
    ArgumentLayout &layout = owned_->layouts.emplace_back();
    layout.known = true;
    for (const char token : tokens) {
      using Kind = ArgumentToken::Kind;
      const Kind kind = token == '{'   ? Kind::open
                        : token == '}' ? Kind::close
                        : token == '.' ? Kind::ellipsis
                                       : Kind::word;
      layout.tokens.push_back({.kind = kind, .stale = token == '?'});
    }
    frame.first_word = first_word;
    frame.arguments = &layout;
  }
  std::uint32_t add_stack(std::vector<ReportFrame> frames) {
    GoroutineStack stack;
    stack.frames = std::move(frames);
    for (const ReportFrame &frame : stack.frames)
      if (frame.arguments != nullptr)
        stack.word_count += static_cast<std::uint32_t>(frame.arguments->word_count());
    go_.stacks.push_back(std::move(stack));
    return static_cast<std::uint32_t>(go_.stacks.size() - 1);
  }
  std::uint32_t add_creation(std::string_view function, int line) {
    go_.creations.push_back({report_.texts->intern(function), report_.texts->intern("/src/svc.go"), line, 0x2c});
    return static_cast<std::uint32_t>(go_.creations.size() - 1);
  }
  std::uint32_t add_labels(LabelSet labels) {
    go_.label_sets.push_back(std::move(labels));
    return static_cast<std::uint32_t>(go_.label_sets.size() - 1);
  }
  /// Waits in "chan receive"; with its words.
  GoroutineReport &add(std::uint64_t id, std::uint32_t stack, std::initializer_list<std::uint64_t> words = {}) {
    GoroutineReport goroutine;
    goroutine.id = id;
    goroutine.status = GoroutineStatus::waiting;
    goroutine.wait_reason = "chan receive";
    goroutine.stack = stack;
    goroutine.first_word = go_.words.size();
    go_.words.insert(go_.words.end(), words);
    go_.goroutines.push_back(goroutine);
    return go_.goroutines.back();
  }
  GoReport &go() { return go_; }
  void finish() { report_.go = std::move(go_); }

private:
  struct Owned { ///< by the report
    std::shared_ptr<TextPool> texts;
    std::deque<ArgumentLayout> layouts;
  };

  ProcessReport &report_;
  GoReport go_;
  std::shared_ptr<Owned> owned_;
};

} // namespace inspect
