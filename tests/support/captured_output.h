// Runs a writer against memory and gives back what it printed to standard output.
//
//     CapturedOutput captured;
//     write_stacks_text(captured.output(), report, {});
//     CHECK(captured.text() == "…");
#pragma once

#include "commands/cli/output.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace inspect {

class CapturedOutput {
public:
  CapturedOutput() : stream_(::open_memstream(&buffer_, &size_)), output_(stream_, stderr) {
    output_.set_colour(false);
  }
  CapturedOutput(const CapturedOutput &) = delete;
  CapturedOutput &operator=(const CapturedOutput &) = delete;
  ~CapturedOutput() {
    std::fclose(stream_);
    std::free(buffer_);
  }

  Output &output() { return output_; }
  std::string text() {
    output_.flush();
    std::fflush(stream_);
    return {buffer_, size_};
  }

private:
  char *buffer_ = nullptr;
  std::size_t size_ = 0;
  std::FILE *stream_;
  Output output_;
};

} // namespace inspect
