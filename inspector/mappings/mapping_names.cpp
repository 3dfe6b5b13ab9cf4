// Kinds that the kernel's own word for a mapping tells, and names that programs gave with PR_SET_VMA_ANON_NAME.
//
// Sources: the kernel's fs/proc/task_mmu.c (get_vma_name), mm/shmem.c, mm/memfd.c, ipc/shm.c, fs/hugetlbfs/inode.c;
// man pages proc(5), memfd_create(2), prctl(2); glibc 2.40 (setvmaname.c and its callers), Go 1.25
// (runtime/set_vma_name_linux.go and the callers of sysAlloc and sysReserve), Android's bionic.
#include "inspector/mappings/mapping_claims.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace inspect {
namespace {

struct KnownName {
  std::string_view beginning;
  MappingKind kind;
};

/// Looked up in this order.
constexpr std::array given_names = {
    KnownName{"Go: heap", MappingKind::go_heap}, // and "heap reservation"
    KnownName{"Go: goroutine stack", MappingKind::go_heap},
    KnownName{"Go: OS thread stack", MappingKind::thread_stack},
    KnownName{"Go: ", MappingKind::go_metadata},
    KnownName{"glibc: malloc arena", MappingKind::malloc_arena},
    KnownName{"glibc: malloc", MappingKind::malloc_mapped},
    KnownName{"glibc: pthread stack: ", MappingKind::thread_stack},
    KnownName{"glibc: pthread user stack: ", MappingKind::thread_stack},
    KnownName{"glibc: unused stack", MappingKind::thread_stack},
    KnownName{"stack_and_tls:", MappingKind::thread_stack},
    KnownName{".bss", MappingKind::library_data},
};

/// Files that are none on any disk.
constexpr std::array special_files = {
    KnownName{"/dev/shm/", MappingKind::shared_memory},
    KnownName{"/run/shm/", MappingKind::shared_memory},
    KnownName{"/dev/hugepages/", MappingKind::shared_memory},
    KnownName{"/memfd:", MappingKind::memfd},
    KnownName{"/dmabuf:", MappingKind::device},
    KnownName{"/drm mm object", MappingKind::device},
    KnownName{"/i915", MappingKind::device},
    KnownName{"/dev/", MappingKind::device},
    KnownName{"/[aio]", MappingKind::kernel},
    KnownName{"anon_inode:", MappingKind::kernel}, // rings of io_uring and of perf
    KnownName{"socket:[", MappingKind::kernel},    // rings of packet sockets
};

std::optional<MappingKind> look_up(std::span<const KnownName> names, std::string_view text) {
  const auto known = std::ranges::find_if(names, [&](const KnownName &one) { return text.starts_with(one.beginning); });
  return known == names.end() ? std::nullopt : std::optional(known->kind);
}

/// Digits at the end.
pid_t number_at_end(std::string_view text) {
  const auto begin = text.find_last_not_of("0123456789");
  text.remove_prefix(begin == std::string_view::npos ? 0 : begin + 1);
  pid_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void claim_given_name(MappingClaims &claims, std::size_t index, std::string_view name) {
  if (name.starts_with(' '))
    name.remove_prefix(1);
  const auto kind = look_up(given_names, name);
  if (!kind)
    return;
  // glibc names its arenas' unused rest like the rest that is in use.
  ClassifiedMapping &row = claims.claim(index, *kind);
  if (*kind == MappingKind::thread_stack)
    row.thread = number_at_end(name);
  if (name.starts_with("glibc: unused stack"))
    row.note = "of a thread that has ended, kept for the next one";
}

void claim_bracketed(MappingClaims &claims, std::size_t index, pid_t process) {
  constexpr std::string_view given = "[anon:";
  std::string_view name = claims.mapping(index).path;
  if (name == "[heap]")
    claims.claim(index, MappingKind::main_heap);
  else if (name == "[stack]")
    claims.claim(index, MappingKind::thread_stack).thread = process;
  else if (name.starts_with("[stack:")) // until Linux 4.4
    claims.claim(index, MappingKind::thread_stack).thread = number_at_end(name.substr(0, name.size() - 1));
  else if (name.starts_with("[anon_shmem:"))
    claims.claim(index, MappingKind::shared_memory);
  else if (name.starts_with(given))
    claim_given_name(claims, index,
                     name.substr(given.size(), name.size() - given.size() - (name.ends_with(']') ? 1 : 0)));
  else
    claims.claim(index, MappingKind::kernel);
}

/// "/SYSV", the key in eight digits, and no directory entry.
bool is_system_v(const Mapping &mapping) {
  constexpr std::string_view beginning = "/SYSV";
  return mapping.deleted && mapping.path.starts_with(beginning) && mapping.path.size() == beginning.size() + 8 &&
         mapping.path.find_first_not_of("0123456789abcdef", beginning.size()) == std::string::npos;
}

void claim_special_file(MappingClaims &claims, std::size_t index) {
  const Mapping &mapping = claims.mapping(index);
  const bool shared_anonymous =
      mapping.deleted && mapping.shared && (mapping.path == "/dev/zero" || mapping.path == "/anon_hugepage");
  if (shared_anonymous || is_system_v(mapping))
    claims.claim(index, MappingKind::shared_memory);
  else if (claims.is_private_anonymous(index))
    return;
  else if (const auto kind = look_up(special_files, mapping.path))
    claims.claim(index, *kind);
}

} // namespace

void claim_named_mappings(MappingClaims &claims, pid_t process) {
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (claims.claimed(i) || claims.mapping(i).path.empty())
      continue;
    if (claims.mapping(i).path.front() == '[')
      claim_bracketed(claims, i, process);
    else
      claim_special_file(claims, i);
  }
}

} // namespace inspect
