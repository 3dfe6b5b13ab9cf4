// runtime.moduledata: what the Go linker tells the runtime about one Go image (the executable, a plugin, a c-shared
// library): where its function table, its text, its data, its types are. It survives stripping, because the garbage
// collector needs it.
//
// Addresses are run-time ones: it is read from the target's memory, where the loader has relocated it. Its layout
// changed in 1.18 and 1.20 up to `gofunc`, together with the format of the pclntab, and in 1.27 without it: the words
// of the types tell by themselves which of the two they are.
//
// Source: runtime/symtab.go, type moduledata, Go 1.16 to 1.27; checked against DWARF by tests/golang.
#pragma once

#include "golang/pclntab/pclntab_header.h"
#include "machine/address.h"
#include "machine/memory_view.h"

namespace inspect {

/// A Go slice header without its capacity.
struct GoSlice {
  RunAddress data;
  std::uint64_t length = 0; ///< elements
};

struct ModuleData {
  RunAddress address;         ///< of the structure itself
  RunAddress header;          ///< pcHeader: where the pclntab begins
  PclntabHeader table;        ///< what is there
  GoSlice function_names;     ///< bytes of each table inside the pclntab
  GoSlice compilation_units;  ///< u32 entries
  GoSlice file_names;         ///< bytes
  GoSlice pc_tables;          ///< bytes
  GoSlice function_records;   ///< pclntable: bytes
  GoSlice function_table;     ///< ftab: entries (two words each before 1.18, two u32 since)
  RunRange pcs;               ///< [minpc, maxpc)
  RunRange text;              ///< [text, etext)
  RunRange pointer_free_data; ///< noptrdata
  RunRange data;
  RunRange bss;
  RunRange pointer_free_bss; ///< noptrbss
  RunRange types;            ///< [types, etypes)
  RunAddress read_only_data; ///< rodata; since 1.18
  RunAddress function_data;  ///< gofunc: what funcdata offsets are relative to; since 1.18, else 0
  GoSlice type_links;        ///< typelinks: i32 offsets from the start of `types`, of types without a name; to 1.26
  RunRange
      type_descriptions; ///< [types, types + typedesclen): one description behind the other; since 1.27, else empty
};

/// At `address`. Its layout follows from the format of the pclntab that it points to, and from its own words. The
/// errors of read_pclntab_header; corrupt where the fields contradict each other. A version that lays its types out in
/// a way that is not known has none.
Result<ModuleData> read_module_data(const MemoryView &memory, RunAddress address);

} // namespace inspect
