#include "inspector/syscalls/system_call_text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace inspect {
namespace {

constexpr std::size_t max_path_length = 256;

std::chrono::nanoseconds duration_of(const timespec &time) {
  // Hostile values must not overflow: ten years are as good as for ever.
  constexpr std::int64_t longest = 10LL * 365 * 86400;
  return std::chrono::seconds(std::clamp<std::int64_t>(time.tv_sec, -longest, longest)) +
         std::chrono::nanoseconds(std::clamp<std::int64_t>(time.tv_nsec, 0, 999'999'999));
}

/// At most three decimals, without zeros at the end.
std::string decimal(double value) {
  std::string text = fmt::format("{:.3f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.'))
    text.pop_back();
  return text;
}

} // namespace

std::string duration_text(std::chrono::nanoseconds duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  if (duration.count() == 0 || duration >= std::chrono::seconds(1))
    return decimal(seconds) + " s";
  return decimal(std::max(seconds * 1000, 0.001)) + " ms";
}

std::chrono::nanoseconds time_left(const timespec &until, clockid_t clock) {
  timespec now{};
  if (::clock_gettime(clock, &now) != 0)
    return std::chrono::nanoseconds(0);
  return duration_of({std::clamp<std::int64_t>(until.tv_sec, 0, 1LL << 40) - now.tv_sec, 0}) +
         std::chrono::nanoseconds(std::clamp<std::int64_t>(until.tv_nsec, 0, 999'999'999) - now.tv_nsec);
}

std::string SystemCallText::descriptor(std::int32_t number) const {
  if (number == AT_FDCWD)
    return "AT_FDCWD";
  if (files_ == nullptr || number < 0)
    return std::to_string(number);
  const auto file = files_->describe(number);
  return file ? fmt::format("{} <{}>", number, *file) : std::to_string(number);
}

std::string SystemCallText::path(std::uint64_t address) const {
  if (address == 0)
    return "NULL";
  const auto text = read_c_string(memory_, RunAddress{address}, max_path_length);
  if (!text)
    return fmt::format("{:#x}", address);
  return fmt::format("\"{}\"{}", *text, text->size() == max_path_length ? "..." : "");
}

std::string SystemCallText::signal_set(std::uint64_t address) const {
  const auto bits = read_word(memory_, RunAddress{address});
  if (!bits)
    return fmt::format("{:#x}", address);
  std::string names;
  for (int number = 1; number <= 64; ++number) {
    if ((*bits >> (number - 1) & 1) == 0)
      continue;
    const char *name = ::sigabbrev_np(number);
    names += names.empty() ? "" : " ";
    names += name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
  }
  return fmt::format("{{{}}}", names);
}

std::string SystemCallText::socket_address(std::uint64_t address, std::uint64_t length) const {
  sockaddr_storage storage{};
  const std::size_t size = std::min<std::uint64_t>(length, sizeof storage);
  if (size < sizeof(sa_family_t) ||
      !memory_.read(RunAddress{address}, std::as_writable_bytes(std::span(&storage, 1)).first(size)))
    return fmt::format("{:#x}", address);
  const auto family = storage.ss_family;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(in.sin_port));
  }
  if (family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof in);
    ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(in.sin6_port));
  }
  if (family == AF_UNIX) {
    constexpr std::size_t prefix = offsetof(sockaddr_un, sun_path);
    sockaddr_un un{};
    std::memcpy(&un, &storage, std::min(size, sizeof un));
    std::string name(un.sun_path, size > prefix ? std::min(size, sizeof un) - prefix : 0);
    if (name.starts_with('\0'))
      return "unix @" + name.substr(1); // an abstract name
    return "unix " + name.substr(0, name.find('\0'));
  }
  return fmt::format("address family {}", family);
}

std::optional<timespec> SystemCallText::time_at(std::uint64_t address) const {
  const auto time = read_value<timespec>(memory_, RunAddress{address});
  return time ? std::optional(*time) : std::nullopt;
}

std::string SystemCallText::duration_at(std::uint64_t address) const {
  const auto time = time_at(address);
  return time ? duration_text(duration_of(*time)) : fmt::format("{:#x}", address);
}

void SystemCallText::add_relative(std::optional<std::chrono::nanoseconds> duration, std::uint64_t address) {
  if (duration)
    add_tail(fmt::format("timeout {}", duration_text(*duration)));
  else if (address == 0)
    add_tail("no timeout");
  else
    add_tail(fmt::format("timeout at {:#x}", address)); // its memory cannot be read
}

void SystemCallText::add_timeout(std::uint64_t address) {
  const auto time = address != 0 ? time_at(address) : std::nullopt;
  add_relative(time ? std::optional(duration_of(*time)) : std::nullopt, address);
}

void SystemCallText::add_timeout_until(std::uint64_t address, clockid_t clock) {
  const auto time = address != 0 ? time_at(address) : std::nullopt;
  if (!time) {
    add_relative(std::nullopt, address);
    return;
  }
  const auto left = time_left(*time, clock);
  add_tail(left.count() > 0 ? fmt::format("timeout in {}", duration_text(left)) : "timeout now");
}

void SystemCallText::add_timeval_timeout(std::uint64_t address) {
  const auto time = address != 0 ? time_at(address) : std::nullopt;
  // struct timeval has the layout of struct timespec, with microseconds.
  add_relative(time ? std::optional(duration_of({time->tv_sec, 0}) +
                                    std::chrono::microseconds(std::clamp<std::int64_t>(time->tv_nsec, 0, 999'999)))
                    : std::nullopt,
               address);
}

void SystemCallText::add_milliseconds_timeout(std::int32_t milliseconds) {
  if (milliseconds < 0)
    add_tail("no timeout");
  else
    add_tail(fmt::format("timeout {}", duration_text(std::chrono::milliseconds(milliseconds))));
}

std::string SystemCallText::text(std::string_view name) const {
  std::string text = fmt::format("{}({})", name, fmt::join(words_, ", "));
  if (!tail_.empty())
    text += ", " + tail_;
  return text;
}

} // namespace inspect
