#include "commands/stacks/pprof_profile.h"

#include "commands/stacks/protobuf.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <new>
#include <tuple>
#include <unordered_map>

#define ZLIB_CONST // its input may be const then
#include <zlib.h>

namespace inspect {
namespace {

/// The fields' numbers in profile.proto.
namespace field {
enum Profile : std::uint32_t {
  sample_type = 1,
  sample = 2,
  mapping = 3,
  location = 4,
  function = 5,
  string_table = 6,
  time_nanos = 9,
  period_type = 11,
  period = 12,
  comment = 13,
};
enum Sample : std::uint32_t { sample_locations = 1, sample_values = 2, sample_label = 3 };
enum Mapping : std::uint32_t {
  mapping_start = 2,
  mapping_limit = 3,
  mapping_offset = 4,
  mapping_file = 5,
  mapping_build_id = 6,
  mapping_has_functions = 7,
  mapping_has_filenames = 8,
  mapping_has_line_numbers = 9,
  mapping_has_inline_frames = 10,
};
enum Location : std::uint32_t { location_mapping = 2, location_address = 3, location_line = 4 };
enum Line : std::uint32_t { line_function = 1, line_number = 2, line_column = 3 };
enum Function : std::uint32_t { function_name = 2, function_system_name = 3, function_file = 4 };
enum Pair : std::uint32_t { first = 1, second = 2 }; ///< ValueType {type, unit}, Label {key, str}
} // namespace field

constexpr std::uint32_t id_field = 1; // of mappings, locations and functions

/// What is known of the code in a mapping: pprof looks into the file itself for what is said to be missing.
struct KnownOfMapping {
  bool functions = true;
  bool files = false;
  bool inlined = false;
};

/// Samples come in, the profile goes out.
class ProfileBuilder {
public:
  ProfileBuilder(const ProcessReport &report, std::string_view sample_type)
      : report_(report), known_(report.mappings.size()) {
    text_id(""); // the table's first entry
    ProtobufMessage type;
    type.number(field::first, text_id(sample_type));
    type.number(field::second, text_id("count"));
    profile_.message(field::sample_type, type);
    profile_.message(field::period_type, type);
    profile_.number(field::period, 1);
    const auto since_epoch = report.taken_at.time_since_epoch();
    profile_.number(field::time_nanos, static_cast<std::uint64_t>(
                                           std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count()));
    const std::string comment = fmt::format("process {} {}", report.process, report.executable);
    profile_.number(field::comment, text_id(comment));
  }

  void add_sample(std::span<const ReportFrame> frames, std::uint64_t count, const LabelSet &labels) {
    ProtobufMessage sample;
    sample.packed(field::sample_locations, locations(frames));
    sample.packed(field::sample_values, std::array{count});
    for (const auto &[key, value] : labels) {
      ProtobufMessage label;
      label.number(field::first, text_id(key));
      label.number(field::second, text_id(value));
      sample.message(field::sample_label, label);
    }
    profile_.message(field::sample, sample);
  }

  const std::string &finish() {
    for (std::size_t i = 0; i < report_.mappings.size(); ++i)
      add_mapping(i);
    for (const std::string &text : texts_)
      profile_.text(field::string_table, text);
    return profile_.bytes();
  }

private:
  std::uint64_t text_id(std::string_view text) {
    const auto [entry, is_new] = text_ids_.try_emplace(std::string(text), texts_.size());
    if (is_new)
      texts_.emplace_back(text);
    return entry->second;
  }

  /// A location is a physical frame: the calls inlined into it, then the function that was called.
  std::vector<std::uint64_t> locations(std::span<const ReportFrame> frames) {
    std::vector<std::uint64_t> ids;
    bool is_return_address = false; // the innermost one is where the program is
    for (std::size_t begin = 0; begin < frames.size();) {
      std::size_t end = begin;
      while (end + 1 < frames.size() && frames[end].inlined && frames[end + 1].pc == frames[begin].pc)
        ++end;
      ids.push_back(location_id(frames.subspan(begin, end + 1 - begin), is_return_address));
      is_return_address = !frames[end].signal;
      begin = end + 1;
    }
    return ids;
  }

  std::uint64_t location_id(std::span<const ReportFrame> lines, bool is_return_address) {
    const ReportFrame &innermost = lines.front();
    const std::uint64_t pc = innermost.pc.value;
    // The byte before a return address belongs to the call.
    const std::uint64_t address = is_return_address && pc != 0 ? pc - 1 : pc;
    const auto key = std::make_tuple(address, innermost.function.data(), innermost.line);
    const auto [entry, is_new] = locations_.try_emplace(key, locations_.size() + 1);
    if (!is_new)
      return entry->second;
    ProtobufMessage location;
    location.number(id_field, entry->second);
    const auto mapping = std::ranges::find_if(report_.mappings, [&](const ReportMapping &one) {
      return address >= one.range.begin.value && address < one.range.end.value;
    });
    if (mapping != report_.mappings.end()) {
      const auto index = static_cast<std::size_t>(mapping - report_.mappings.begin());
      location.number(field::location_mapping, index + 1);
      note_known(known_[index], lines);
    }
    location.number(field::location_address, address);
    for (const ReportFrame &frame : lines)
      if (!frame.function.empty())
        location.message(field::location_line, line_of(frame));
    profile_.message(field::location, location);
    return entry->second;
  }

  static void note_known(KnownOfMapping &known, std::span<const ReportFrame> lines) {
    for (const ReportFrame &frame : lines) {
      known.functions = known.functions && !frame.function.empty();
      known.files = known.files || !frame.file.empty();
      known.inlined = known.inlined || frame.inlined;
    }
  }

  ProtobufMessage line_of(const ReportFrame &frame) {
    ProtobufMessage line;
    line.number(field::line_function, function_id(frame));
    line.number(field::line_number, static_cast<std::uint64_t>(std::max(frame.line, 0)));
    line.number(field::line_column, static_cast<std::uint64_t>(std::max(frame.column, 0)));
    return line;
  }

  std::uint64_t function_id(const ReportFrame &frame) {
    const auto key = std::make_pair(frame.function.data(), frame.file.data());
    const auto [entry, is_new] = functions_.try_emplace(key, functions_.size() + 1);
    if (is_new) {
      ProtobufMessage function;
      function.number(id_field, entry->second);
      function.number(field::function_name, text_id(frame.function));
      function.number(field::function_system_name, text_id(frame.function));
      function.number(field::function_file, text_id(frame.file));
      profile_.message(field::function, function);
    }
    return entry->second;
  }

  void add_mapping(std::size_t index) {
    const ReportMapping &mapping = report_.mappings[index];
    const KnownOfMapping &known = known_[index];
    ProtobufMessage message;
    message.number(id_field, index + 1);
    message.number(field::mapping_start, mapping.range.begin.value);
    message.number(field::mapping_limit, mapping.range.end.value);
    message.number(field::mapping_offset, mapping.offset.value);
    message.number(field::mapping_file, text_id(mapping.path.empty() ? "//anon" : mapping.path));
    message.number(field::mapping_build_id, text_id(mapping.build_id));
    message.number(field::mapping_has_functions, known.functions ? 1 : 0);
    message.number(field::mapping_has_filenames, known.files ? 1 : 0);
    message.number(field::mapping_has_line_numbers, known.files ? 1 : 0);
    message.number(field::mapping_has_inline_frames, known.inlined || known.files ? 1 : 0);
    profile_.message(field::mapping, message);
  }

  const ProcessReport &report_;
  ProtobufMessage profile_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint64_t> text_ids_;
  std::map<std::tuple<std::uint64_t, const char *, int>, std::uint64_t> locations_;
  std::map<std::pair<const char *, const char *>, std::uint64_t> functions_;
  std::vector<KnownOfMapping> known_;
};

void add_goroutines(ProfileBuilder &builder, const GoReport &report, bool internal) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> counts; // by stack and labels
  for (const GoroutineReport &goroutine : report.goroutines)
    if (internal || !goroutine.system)
      ++counts[{goroutine.stack, goroutine.labels}];
  for (const auto &[key, count] : counts)
    builder.add_sample(report.stacks[key.first].frames, count, report.label_sets[key.second]);
}

void add_threads(ProfileBuilder &builder, const ProcessReport &report) {
  for (const StackGroup &group : group_threads(report)) {
    std::map<std::string, std::uint64_t> counts; // by name
    for (const std::uint32_t member : group.members)
      ++counts[report.threads[member].name];
    for (const auto &[name, count] : counts)
      builder.add_sample(report.threads[group.members.front()].frames, count, {{"thread", name}});
  }
}

std::string gzip(std::string_view text) {
  constexpr int gzip_header = 16; // added to the window's bits: zlib.h, deflateInit2
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + gzip_header, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc(); // with these parameters it cannot fail otherwise
  std::string result(deflateBound(&stream, text.size()), '\0');
  std::string_view rest = text;
  std::size_t done = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    constexpr std::size_t max_piece = 1U << 30U; // its counters have 32 bits
    const std::string_view piece = rest.substr(0, max_piece);
    stream.next_in = reinterpret_cast<const Bytef *>(piece.data());
    stream.avail_in = static_cast<uInt>(piece.size());
    stream.next_out = reinterpret_cast<Bytef *>(result.data() + done);
    stream.avail_out = static_cast<uInt>(std::min(max_piece, result.size() - done));
    const uInt room = stream.avail_out;
    status = deflate(&stream, piece.size() == rest.size() ? Z_FINISH : Z_NO_FLUSH);
    done += room - stream.avail_out;
    rest.remove_prefix(piece.size() - stream.avail_in);
  }
  deflateEnd(&stream);
  result.resize(done);
  return result;
}

} // namespace

void write_pprof_profile(Output &output, const ProcessReport &report, const StackWriterOptions &options) {
  ProfileBuilder builder(report, report.go ? "goroutine" : "thread");
  if (report.go)
    add_goroutines(builder, *report.go, options.internal);
  else
    add_threads(builder, report);
  output.write(gzip(builder.finish()));
}

} // namespace inspect
