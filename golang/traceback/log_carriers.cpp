#include "golang/traceback/log_carriers.h"

#include "golang/traceback/log_escapes.h"
#include "golang/traceback/log_records.h"
#include "golang/traceback/log_shapes.h"

#include <array>

namespace inspect {
namespace {

constexpr std::size_t max_carriers = 8;                          // in each other
constexpr std::size_t max_looked_through = std::size_t{1} << 16; // bytes of a text in which two are tried at once

constexpr std::size_t max_read_whole = std::size_t{1} << 21; // bytes; of larger texts the carriers are found in a part
constexpr std::size_t excerpt_size = std::size_t{1} << 20;
constexpr std::size_t excerpt_margin = std::size_t{1} << 14;
constexpr std::string_view hint = "goroutine ";

using Peeling = std::optional<LogText> (*)(const LogText &);

/// Where two read equally well, the first one is taken: what says more of the text's form comes first.
constexpr std::array<Peeling, 29> peelings = {
    joined_parts,
    [](const LogText &log) { return values_of_json(log, '"'); },
    values_of_pairs,
    values_of_lines,
    [](const LogText &log) { return values_of_columns(log, ','); },
    [](const LogText &log) { return values_of_columns(log, ';'); },
    [](const LogText &log) { return values_of_columns(log, '\t'); },
    [](const LogText &log) { return values_of_columns(log, '|'); },
    without_octal_marks,
    without_backslashes,
    without_html,
    without_form_encoding,
    without_percent_signs,
    without_base64,
    without_quoted_printable,
    without_line_end_signs,
    [](const LogText &log) { return values_of_json(log, '\''); },
    without_suffix,
    without_common_prefix,
    without_common_suffix,
    without_blank_lines,
    joined_at_width,
    joined_at_width_behind_prefix,
    joined_where_open,
    split_at_blanks,
    split_at_signs,
    without_repeats,
    reversed_lines,
    sorted_by_writer,
};

using PeelingSequence = std::vector<Peeling>;

struct Best {
  std::optional<LogText> log;
  LogTextReading reading;
  PeelingSequence taken; ///< in this round
};

void try_all(const LogText &log, const LogTextScore &score, const PeelingSequence &before, Best &best) {
  for (const Peeling peeling : peelings)
    if (auto peeled = peeling(log))
      if (const LogTextReading reading = score(*peeled);
          reading.parts > best.reading.parts ||
          (best.log && reading.parts == best.reading.parts && reading.order < best.reading.order)) {
        best = {std::move(peeled), reading, before};
        best.taken.push_back(peeling);
      }
}

/// What is to be taken off, outermost first.
PeelingSequence find_carriers(LogText log, const LogTextScore &score) {
  PeelingSequence all;
  LogTextReading reached = score(log);
  for (std::size_t round = 0; round < max_carriers; ++round) {
    Best best{std::nullopt, reached, {}};
    try_all(log, score, {}, best);
    // A carrier may hide another: nothing, or less, can be read before both are gone.
    if (round == 0 && (best.log || reached.parts == 0) && log.text.size() <= max_looked_through)
      for (const Peeling peeling : peelings)
        if (const auto peeled = peeling(log))
          try_all(*peeled, score, {peeling}, best);
    if (!best.log)
      break;
    log = std::move(*best.log);
    reached = best.reading;
    all.insert(all.end(), best.taken.begin(), best.taken.end());
  }
  return all;
}

/// The lines around those that may be a traceback's: what carries them is seen there.
LogText excerpt(const LogText &log) {
  LogTextWriter writer;
  std::size_t copied = 0; // up to here
  std::size_t size = 0;
  for (std::size_t at = log.text.find(hint); at != std::string::npos && size < excerpt_size;
       at = log.text.find(hint, std::max(at + 1, copied))) {
    const std::size_t before = std::max(copied, at - std::min(at, excerpt_margin));
    const std::size_t begin = before == copied ? copied : log.text.find('\n', before);
    const std::size_t end = log.text.find('\n', std::min(at + excerpt_margin, log.text.size()));
    if (begin == std::string::npos)
      break;
    const std::string_view part = std::string_view(log.text).substr(begin, end - begin);
    writer.add(part, 1);
    size += part.size();
    copied = end == std::string::npos ? log.text.size() : end + 1;
  }
  return writer.take();
}

} // namespace

LogText without_carriers(LogText log, const LogTextScore &score) {
  const bool large = log.text.size() > max_read_whole;
  LogText peeled = log;
  const PeelingSequence carriers = find_carriers(large ? excerpt(log) : log, score);
  if (carriers.empty())
    return log;
  for (const Peeling peeling : carriers)
    if (auto next = peeling(peeled))
      peeled = std::move(*next);
  return !large || score(peeled).parts > score(log).parts ? std::move(peeled) : std::move(log);
}

} // namespace inspect
