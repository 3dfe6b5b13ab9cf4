// The texts of /proc: stat, status, maps, smaps, limits, cgroup, mountinfo, net.
// A target chooses its name, its paths and its control group.
#include "attach/cgroup/control_group_place.h"
#include "attach/files/socket_table.h"
#include "attach/memory/memory_usage_parser.h"
#include "attach/procfs/memory_map.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_limits.h"
#include "attach/procfs/process_status.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace inspect::test {
namespace {

enum ProcText : std::uint8_t {
  stat,
  status,
  maps,
  smaps,
  limits,
  cgroup,
  mountinfo,
  tcp,
  tcp6,
  unix_table,
  netlink,
  packet,
  link,
  proc_text_count
};

template <typename Mappings, typename RangeOf> void check_order(const Mappings &mappings, RangeOf range_of) {
  RunAddress last;
  for (const auto &one : mappings) {
    fuzz_check(range_of(one).begin >= last, "mappings are in order");
    fuzz_check(range_of(one).begin <= range_of(one).end, "a mapping ends behind its beginning");
    last = range_of(one).begin;
  }
}

bool read_maps(std::string_view text) {
  const auto mappings = parse_memory_map(text);
  if (!mappings)
    return false;
  check_order(*mappings, [](const Mapping &mapping) { return mapping.range; });
  for (const Mapping &mapping : *mappings) {
    const Mapping *found = find_mapping(*mappings, mapping.range.begin);
    fuzz_check(found == nullptr || found->range.contains(mapping.range.begin), "the mapping found holds the address");
  }
  static_cast<void>(find_mapping(*mappings, RunAddress{~0ULL}));
  return !mappings->empty();
}

/// In one piece and in pieces, which must not make a difference.
bool read_smaps(std::string_view text, std::size_t piece) {
  const auto whole = parse_memory_usage(text);
  MemoryUsageParser parser;
  for (std::size_t begin = 0; begin < text.size() && parser.take(text.substr(begin, piece)); begin += piece) {
  }
  const auto pieced = parser.finish();
  fuzz_check(whole.has_value() == pieced.has_value(), "smaps means the same in pieces");
  if (!whole)
    return false;
  fuzz_check(whole->size() == pieced->size(), "smaps has the same mappings in pieces");
  for (std::size_t i = 0; i < whole->size(); ++i)
    fuzz_check((*whole)[i].amounts == (*pieced)[i].amounts, "smaps has the same amounts in pieces");
  check_order(*whole, [](const MappingUsage &usage) { return usage.mapping.range; });
  static_cast<void>(MemoryUsage{*whole, true, {}}.total());
  return !whole->empty();
}

bool read_groups(std::string_view text, std::string_view mountinfo_text) {
  const auto groups = parse_control_groups(text);
  const auto memory = memory_group(groups);
  for (const ControlGroup &group : groups)
    fuzz_check(group.path_with_mark().starts_with(group.path), "a removed group keeps its path");
  const auto mounts = parse_control_group_mounts(mountinfo_text);
  for (const ControlGroupMount &mount : mounts) {
    if (!memory)
      continue;
    if (const auto names = names_below(mount, memory->path))
      for (const std::string &name : *names)
        fuzz_check(!name.empty() && name.find('/') == std::string::npos && name != "..",
                   "a group's directory has names that lead down only");
  }
  return !groups.empty() || !mounts.empty();
}

bool read_sockets(ProcText kind, std::string_view text) {
  SocketTable table;
  SocketSelection selection;
  switch (kind) {
  case tcp:
    parse_internet_sockets("tcp", text, table);
    parse_internet_sockets("tcp", text, table, &selection);
    break;
  case tcp6:
    parse_internet_sockets("tcp6", text, table);
    break;
  case unix_table:
    parse_unix_sockets(text, table);
    break;
  case netlink:
    parse_netlink_sockets(text, table);
    break;
  default:
    parse_packet_sockets(text, table);
  }
  for (const auto &[inode, socket] : table)
    fuzz_check(!socket_text(socket, inode).empty(), "a socket has a text");
  return !table.empty();
}

bool run_proc_texts(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const auto kind = static_cast<ProcText>(input.number(1) % proc_text_count);
  switch (kind) {
  case stat: {
    const auto parsed = parse_process_stat(input.rest());
    return parsed && !state_in_words(parsed->state).empty();
  }
  case status: {
    const auto parsed = parse_process_status(input.rest());
    return parsed && (!parsed->capabilities || capability_names(parsed->capabilities->effective).size() <= 64);
  }
  case maps:
    return read_maps(input.rest());
  case smaps: {
    const std::size_t piece = 1 + input.number(1);
    return read_smaps(input.rest(), piece);
  }
  case limits: {
    const auto parsed = parse_process_limits(input.rest());
    return parsed && !parsed->all.empty();
  }
  case cgroup:
  case mountinfo: {
    const std::string_view groups = input.part();
    return read_groups(groups, input.rest());
  }
  case link:
    return inode_in_link(input.rest()).has_value();
  default:
    return read_sockets(kind, input.rest());
  }
}

std::string proc_seed(ProcText kind, std::string_view text) {
  return FuzzSeed().number(kind, 1).raw(text).text();
}

std::vector<std::string> proc_seeds() {
  constexpr std::string_view two_groups =
      "5:memory:/docker/4f0c/worker (deleted)\n1:name=systemd:/a b\n0::/user.slice/x\n";
  constexpr std::string_view two_mounts =
      "31 24 0:27 /docker/4f0c /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n"
      "42 24 0:28 / /sys/fs/c\\040group ro - cgroup2 cgroup2 rw,nsdelegate\n";
  return {
      proc_seed(stat,
                "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 7 9 0 0 20 0 3 0 12345 1048576 200 18446744073709551615 "
                "1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0\n"),
      proc_seed(status,
                "Name:\tx\\ny\nState:\tS (sleeping)\nTgid:\t42\nPid:\t43\nPPid:\t1\nTracerPid:\t7\n"
                "Uid:\t0\t1000\t0\t0\nGid:\t5\t6\t5\t5\nNStgid:\t42\t1\nNSpid:\t43\t2\nVmPeak:\t  100 kB\n"
                "VmSize:\t   90 kB\nVmLck:\t 0 kB\nVmPin:\t 0 kB\nVmHWM:\t 80 kB\nVmRSS:\t 70 kB\nRssAnon:\t 60 kB\n"
                "RssFile:\t 8 kB\nRssShmem:\t 2 kB\nVmPTE:\t 44 kB\nVmSwap:\t 0 kB\nHugetlbPages:\t 0 kB\n"
                "CoreDumping:\t0\nThreads:\t1\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n"
                "CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n"
                "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"),
      proc_seed(maps, "55d0-55e0 r--p 00000000 08:01 77 /usr/bin/a\\012b (deleted)\n"
                      "7f00-8f00 r-xs 00001000 103:02 78                    /lib/x\n"
                      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n"),
      FuzzSeed()
          .number(smaps, 1)
          .number(16, 1)
          .raw("1000-3000 rw-p 00000000 00:00 0 [stack]\nSize: 8 kB\nRss: 4 kB\nPss: 2 kB\nShared_Clean: 1 kB\n"
               "Shared_Dirty: 0 kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: 4 kB\nReferenced: 4 kB\nAnonymous: 4 kB\n"
               "LazyFree: 0 kB\nAnonHugePages: 0 kB\nSwap: 0 kB\nSwapPss: 0 kB\nLocked: 0 kB\n"
               "THPeligible: 0\nProtectionKey: 0\nVmFlags: rd wr gd ac \n3000-4000 r--s 00000000 08:01 5 /a "
               "(deleted)\nRss: 0 kB\n")
          .text(),
      proc_seed(limits, "Limit                     Soft Limit           Hard Limit           Units     \n"
                        "Max cpu time              unlimited            unlimited            seconds   \n"
                        "Max open files            1024                 1048576              files     \n"
                        "Max nice priority         0                    0                    \n"),
      FuzzSeed().number(cgroup, 1).part(two_groups).raw(two_mounts).text(),
      FuzzSeed().number(mountinfo, 1).part("0::/../other\n").raw(two_mounts).text(),
      proc_seed(tcp,
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 "
                "100 0 0 10 0\n"
                "   1: 0100007F:1F90 0200000A:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 "
                "20 4 30 10 -1\n"),
      proc_seed(
          tcp6,
          "  sl  local_address                         remote_address                        st tx_queue rx_queue\n"
          "   0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 "
          "00:00000000 00000000     0        0 99 1 0 100 0 0 10 0\n"),
      proc_seed(unix_table, "Num       RefCount Protocol Flags    Type St Inode Path\n"
                            "0000000000000000: 00000002 00000000 00010000 0001 01 4001 /run/x y.sock\n"
                            "0000000000000000: 00000003 00000000 00000000 0002 03 4002\n"
                            "0000000000000000: 00000002 00000000 00010000 0005 01 4003 @abstract\n"),
      proc_seed(netlink, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
                         "0000000000000000 0   4242       00000440 0        0        0     2        0        5001\n"
                         "0000000000000000 15  1          00000002 0        0        0     2        0        5002\n"),
      proc_seed(packet, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
                        "0000000000000000 3      3    0003   2     1 0      0      6001\n"),
      proc_seed(link, "net:[4026531840]"),
  };
}

const RegisteredFuzzTarget proc_texts_target{{.name = "proc", .run = run_proc_texts, .seeds = proc_seeds}};

} // namespace
} // namespace inspect::test
