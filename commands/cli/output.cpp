#include "commands/cli/output.h"

#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace inspect {
namespace {

constexpr std::chrono::milliseconds progress_delay{500};
constexpr std::chrono::milliseconds progress_interval{50};
constexpr std::string_view erase_line = "\r\x1b[K";

bool environment_allows_colour() {
  const char *no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0')
    return false;
  const char *terminal = std::getenv("TERM");
  return terminal == nullptr || std::string_view(terminal) != "dumb";
}

/// SGR parameters; the sixteen colours every terminal theme defines.
std::string_view colour_of(Style style) {
  switch (style) {
  case Style::plain:
    return {};
  case Style::heading:
    return "1";
  case Style::function:
    return "36";
  case Style::location:
    return "32";
  case Style::dim:
    return "2";
  case Style::warning:
    return "33";
  case Style::number:
    return "35";
  }
  return {};
}

/// The text without the colours that styled() put into it. Nothing else in it can hold an escape character.
std::string without_colours(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("\x1b[")) {
      const std::size_t end = text.find('m', at);
      if (end != std::string_view::npos) {
        at = end + 1;
        continue;
      }
    }
    plain += text[at++];
  }
  return plain;
}

} // namespace

Output::Output(std::FILE *out, std::FILE *err)
    : out_(out), err_(err), terminal_(::isatty(::fileno(out)) == 1), error_terminal_(::isatty(::fileno(err)) == 1) {
  colour_ = wants_colour();
}

bool Output::wants_colour() const {
  return terminal_ && environment_allows_colour();
}

void Output::write(std::string_view text) {
  clear_progress();
  copy_to_transcript(text);
  if (quiet_ || text.empty() || failed())
    return;
  if (std::fwrite(text.data(), 1, text.size(), out_) != text.size())
    write_error_ = errno != 0 ? errno : EIO;
}

void Output::error(std::string_view sentence) {
  clear_progress();
  flush();
  const std::string line = fmt::format("inspect: {}\n", escape(error_prefix_ + std::string(sentence)));
  copy_to_transcript(line);
  std::fputs(line.c_str(), err_);
}

void Output::error(const Error &error) {
  this->error(error.message());
  if (error.remedy().empty())
    return;
  const std::string line = fmt::format("  try: {}\n", escape(error.remedy()));
  copy_to_transcript(line);
  std::fputs(line.c_str(), err_);
}

void Output::error_detail(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string line = fmt::format("  {}\n", escape(lines.substr(0, end)));
    copy_to_transcript(line);
    std::fputs(line.c_str(), err_);
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

void Output::warning(std::string_view sentence) {
  error(fmt::format("warning: {}", sentence));
}

void Output::hint(std::string_view sentence) {
  if (!terminal_ || !error_terminal_)
    return;
  flush();
  std::fputs(fmt::format("{}\n", sentence).c_str(), err_);
}

void Output::flush() {
  if (std::fflush(out_) != 0 && !failed())
    write_error_ = errno != 0 ? errno : EIO;
}

std::string Output::styled(Style style, std::string_view text) const {
  const std::string_view colour = colour_of(style);
  if (!colour_ || colour.empty() || text.empty())
    return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", colour, text);
}

int Output::width() const {
  if (!terminal_)
    return 0;
  winsize size{};
  if (::ioctl(::fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

void Output::progress(std::string_view text) {
  if (text.empty()) {
    clear_progress();
    waiting_since_.reset();
    return;
  }
  if (!error_terminal_)
    return;
  const auto now = std::chrono::steady_clock::now();
  if (!waiting_since_)
    waiting_since_ = now;
  if (now - *waiting_since_ < progress_delay || now - progress_written_ < progress_interval)
    return;
  progress_written_ = now;
  std::fputs(fmt::format("{}{}", erase_line, escape(text)).c_str(), err_);
  std::fflush(err_);
  progress_shown_ = true;
}

int Output::redirect(std::FILE *out) {
  flush();
  out_ = out;
  terminal_ = false;
  colour_ = false;
  return std::exchange(write_error_, 0);
}

void Output::clear_progress() {
  if (!progress_shown_)
    return;
  std::fwrite(erase_line.data(), 1, erase_line.size(), err_);
  std::fflush(err_);
  progress_shown_ = false;
}

void Output::copy_to_transcript(std::string_view text) {
  if (transcript_ == nullptr)
    return;
  const std::string plain = without_colours(text);
  std::fwrite(plain.data(), 1, plain.size(), transcript_);
}

} // namespace inspect
