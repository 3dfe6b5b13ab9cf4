//go:build ignore
// +build ignore

// What tools/generate_go_layouts.go writes into golang/memstats/memory_layout_table.cpp: where the fields lie that make up
// runtime.MemStats.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"strings"
)

// The members in the order of golang/memstats/memory_layout.h.
var memoryStructures = []structure{
	{"stats", []string{"runtime.mstats"}, []field{
		named("heap_stats", "heapStats.stats"), named("heap_sys", "heap_sys"), named("heap_inuse", "heap_inuse"),
		named("heap_released", "heap_released"), named("stacks_sys", "stacks_sys"), named("mspan_sys", "mspan_sys"),
		named("mcache_sys", "mcache_sys"), named("buckhash_sys", "buckhash_sys"), named("gc_misc_sys", "gcMiscSys"),
		named("other_sys", "other_sys"), named("next_gc", "next_gc"), named("heap_marked", "heap_marked"),
		named("tiny_allocs", "tinyallocs"),
		named("last_gc", "last_gc_unix"), named("pause_total", "pause_total_ns"), named("pauses", "pause_ns"),
		named("pause_count", "pause_ns#count"), named("gc_count", "numgc"), named("forced_gc_count", "numforcedgc"),
		named("gc_cpu_fraction", "gc_cpu_fraction")}},
	{"delta", []string{"runtime.heapStatsDelta"}, []field{
		named("committed", "committed"), named("released", "released"), named("in_heap", "inHeap"),
		named("in_stacks", "inStacks"), named("in_work_buffers", "inWorkBufs"),
		named("in_pointer_bits", "inPtrScalarBits"), named("tiny_count", "tinyAllocCount"),
		named("large_bytes", "largeAlloc"), named("large_count", "largeAllocCount"),
		named("small_counts", "smallAllocCount"), named("large_freed_bytes", "largeFree"),
		named("large_freed_count", "largeFreeCount"), named("small_freed_counts", "smallFreeCount"),
		named("size_classes", "smallAllocCount#count")}},
	{"controller", []string{"runtime.gcControllerState"}, []field{
		named("gc_percent", "gcPercent"), named("memory_limit", "memoryLimit"), named("heap_minimum", "heapMinimum"),
		named("heap_goal", "heapGoal"), named("percent_goal", "gcPercentHeapGoal"),
		named("sweep_trigger", "sweepDistMinTrigger"), named("triggered", "triggered"),
		named("heap_live", "heapLive"), named("heap_marked", "heapMarked"), named("heap_in_use", "heapInUse"),
		named("heap_released", "heapReleased"), named("heap_free", "heapFree"), named("total_alloc", "totalAlloc"),
		named("total_free", "totalFree"), named("mapped_ready", "mappedReady")}},
	{"heap", []string{"runtime.mheap"}, []field{
		named("sweep_generation", "sweepgen"), named("all_spans", "allspans"), named("pages_in_use", "pagesInUse"),
		named("arenas", "arenas"), named("arena_list", "heapArenas", "allArenas"),
		named("user_arena_list", "userArenaArenas"), named("summaries", "pages.summary"),
		named("summary_levels", "pages.summary#count"), named("chunks", "pages.chunks"),
		named("chunk_count", "pages.chunks#count"), named("scavenge_index", "pages.scav.index.chunks"),
		named("span_size", "spanalloc.size"),
		named("span_owner", "spanalloc.arg"), named("span_inuse", "spanalloc.inuse"),
		named("span_counter", "spanalloc.stat"), named("cache_size", "cachealloc.size"),
		named("cache_inuse", "cachealloc.inuse"), named("cache_counter", "cachealloc.stat")}},
	{"span", []string{"runtime.mspan"}, []field{
		named("start", "startAddr"), named("pages", "npages"), named("elements", "nelems"),
		named("elements_bytes", "nelems#bytes"), named("allocated", "allocCount"),
		named("allocated_before", "allocCountBeforeCache"), named("span_class", "spanclass"), named("state", "state"),
		named("element_size", "elemsize"), named("mark_bits", "gcmarkBits")}},
	{"cache", []string{"runtime.mcache"}, []field{
		named("tiny_allocs", "tinyAllocs"), named("spans", "alloc"), named("span_count", "alloc#count")}},
	{"processor", []string{"runtime.p"}, []field{
		named("id", "id"), named("status", "status"), named("cache", "mcache"),
		named("free_goroutines", "gFree.n", "gFree.size")}},
	{"scheduler", []string{"runtime.schedt"}, []field{
		named("last_goroutine", "goidgen"), named("next_m", "mnext"), named("max_ms", "maxmcount"),
		named("freed_ms", "nmfreed"), named("system_goroutines", "ngsys"), named("idle_list", "pidle"),
		named("idle_count", "npidle"), named("free_goroutines", "gFree.n", "gFree.stack.size"),
		named("free_without_stack", "gFree.noStack.size")}},
	{"arena", []string{"runtime.heapArena"}, []field{
		named("spans", "spans"), named("pages", "spans#count")}},
}

// What a version need not have, because it came or went with one.
var optionalInMemory = map[string]bool{
	"stats.heap_sys": true, "stats.heap_inuse": true, "stats.heap_released": true, "stats.next_gc": true,
	"stats.heap_marked": true, "stats.tiny_allocs": true, "delta.tiny_count": true, "delta.in_pointer_bits": true,
	"controller.gc_percent": true, "controller.memory_limit": true, "controller.heap_minimum": true,
	"controller.heap_goal": true, "controller.percent_goal": true, "controller.sweep_trigger": true,
	"controller.triggered": true, "controller.heap_live": true, "controller.heap_marked": true,
	"controller.heap_in_use": true, "controller.heap_released": true, "controller.heap_free": true,
	"controller.total_alloc": true, "controller.total_free": true, "controller.mapped_ready": true,
	"heap.user_arena_list": true, "heap.scavenge_index": true, "span.allocated_before": true, "scheduler.free_without_stack": true,
}

func runtimeOffsets(of *version) map[string]int64 { return of.offsets }
func memoryOffsets(of *version) map[string]int64  { return of.memory }

// The elements of class_to_size, which is SizeClassToSize of internal/runtime/gc since Go 1.26.
func readSizeClasses(root string) []string {
	path := filepath.Join(root, "src/internal/runtime/gc/sizeclasses.go")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(root, "src/runtime/sizeclasses.go")
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		log.Fatal(err)
	}
	var sizes []string
	ast.Inspect(file, func(node ast.Node) bool {
		value, is := node.(*ast.ValueSpec)
		if is && (value.Names[0].Name == "class_to_size" || value.Names[0].Name == "SizeClassToSize") {
			for _, element := range value.Values[0].(*ast.CompositeLit).Elts {
				sizes = append(sizes, element.(*ast.BasicLit).Value)
			}
		}
		return true
	})
	if len(sizes) == 0 {
		log.Fatalf("%s has no size classes", path)
	}
	return sizes
}

func memoryLayoutTable(versions []*version) string {
	var text strings.Builder
	fmt.Fprintf(&text, notice, "the DWARF and sizeclasses.go")
	text.WriteString(toolchains(versions))
	text.WriteString("#include \"golang/memstats/memory_layout.h\"\n\n#include <array>\n\nnamespace inspect {\nnamespace {\n\n")
	text.WriteString("// One field a line would make pages of it.\n// clang-format off\n")
	var rows strings.Builder
	current, before := "", ""
	for _, each := range versions {
		if list := strings.Join(each.classes, ","); list != before {
			before = list
			current = fmt.Sprintf("classes_since_1_%d", each.minor)
			fmt.Fprintf(&text, "constexpr auto %s = std::to_array<std::uint32_t>({\n%s});\n\n", current, filled(each.classes))
		}
		writeRow(&rows, each, memoryStructures, each.memory, " .size_classes = "+current+",")
	}
	text.WriteString("constexpr auto rows = std::to_array<MemoryLayout>({\n" + rows.String())
	text.WriteString("});\n// clang-format on\n\n} // namespace\n\n")
	text.WriteString("std::span<const MemoryLayout> known_memory_layouts() {\n  return rows;\n}\n\n} // namespace inspect\n")
	return text.String()
}
