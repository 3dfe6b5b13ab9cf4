//go:build ignore
// +build ignore

// Writes golang/runtime/runtime_layout_table.cpp, golang/memstats/memory_layout_table.cpp and golang/runtime/wait_reason_table.cpp from real Go
// toolchains:
//
//	go run tools/generate_go_layouts.go tools/generate_go_memory_layouts.go golang GO…
//
// where each GO is a go command. With each it builds a small program and reads from its DWARF where the fields of the
// runtime's structures lie; the wait reasons come from the toolchain's own runtime/runtime2.go, the size classes from
// its sizeclasses.go. The second file has what the memory's books are made of. Give the first and the
// last release of every minor version that inspect is to know: a few moved fields in a patch release, and then give
// the last one before that and the first one after it, too. tools/get_go_toolchains.sh fetches them. Run `./dev format`
// afterwards.
package main

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// One C++ field, and the Go fields it may be, by version: the first that a version has is taken.
type field struct {
	name string
	from []string
}

// One C++ structure and the Go types it may be.
type structure struct {
	member string
	from   []string
	fields []field
}

func named(name string, from ...string) field { return field{name, from} }

// The members in the order of golang/runtime/runtime_layout.h. A structure that a version does not have gets -1 throughout.
var structures = []structure{
	{"g", []string{"runtime.g"}, []field{
		named("stack_lo", "stack.lo"), named("stack_hi", "stack.hi"), named("panic", "_panic"),
		named("first_defer", "_defer"), named("m", "m"), named("sched_sp", "sched.sp"), named("sched_pc", "sched.pc"),
		named("sched_bp", "sched.bp"), named("syscall_sp", "syscallsp"), named("syscall_pc", "syscallpc"),
		named("syscall_bp", "syscallbp"), named("stktopsp", "stktopsp"), named("param", "param"),
		named("status", "atomicstatus"), named("id", "goid"), named("wait_since", "waitsince"),
		named("wait_reason", "waitreason"), named("preempt_stop", "preemptStop"),
		named("async_safe_point", "asyncSafePoint"), named("tracking_sequence", "trackingSeq"),
		named("locked_m", "lockedm"), named("signal", "sig"), named("signal_address", "sigcode1"),
		named("signal_pc", "sigpc"), named("parent_id", "parentGoid"), named("created_pc", "gopc"),
		named("start_pc", "startpc"), named("racectx", "racectx"), named("waiting", "waiting"),
		named("cgo_context", "cgoCtxt"), named("labels", "labels"),
		named("coroarg", "coroarg"), named("bubble", "bubble", "syncGroup")}},
	{"m", []string{"runtime.m"}, []field{
		named("g0", "g0"), named("more_stack_sp", "morebuf.sp"), named("more_stack_pc", "morebuf.pc"),
		named("more_stack_g", "morebuf.g"), named("process_id", "procid"), named("gsignal", "gsignal"),
		named("current_g", "curg"), named("p", "p"), named("id", "id"), named("throwing", "throwing"),
		named("in_cgo", "incgo"), named("is_extra", "isextra"), named("is_extra_in_c", "isExtraInC"),
		named("cgo_calls", "ncgo"), named("cgo_callers", "cgoCallers"), named("all_link", "alllink"),
		named("locked_g", "lockedg"), named("vdso_sp", "vdsoSP"), named("vdso_pc", "vdsoPC")}},
	{"sudog", []string{"runtime.sudog"}, []field{
		named("g", "g"), named("next", "next"), named("element", "elem"), named("is_select", "isSelect"),
		named("wait_link", "waitlink"), named("channel", "c")}},
	{"channel", []string{"runtime.hchan"}, []field{
		named("count", "qcount"), named("capacity", "dataqsiz"), named("buffer", "buf"),
		named("element_size", "elemsize"), named("closed", "closed"), named("element_type", "elemtype"),
		named("send_index", "sendx"), named("receive_index", "recvx"), named("receive_queue", "recvq.first"),
		named("send_queue", "sendq.first")}},
	{"deferred", []string{"runtime._defer"}, []field{
		named("heap", "heap"), named("open_defer", "openDefer"), named("rangefunc", "rangefunc"),
		named("sp", "sp"), named("pc", "pc"), named("function", "fn"), named("link", "link"), named("head", "head")}},
	{"panic", []string{"runtime._panic"}, []field{
		named("argument", "arg"), named("link", "link"), named("start_pc", "startPC"), named("start_sp", "startSP"),
		named("recovered", "recovered"), named("goexit", "goexit")}},
	{"type", []string{"internal/abi.Type", "runtime._type"}, []field{
		named("bytes", "Size_", "size"), named("hash", "Hash", "hash"), named("flags", "TFlag", "tflag"),
		named("kind", "Kind_", "kind"), named("name", "Str", "str"),
		named("pointer_to_this", "PtrToThis", "ptrToThis")}},
	{"itab", []string{"internal/abi.ITab", "runtime.itab"}, []field{
		named("interface_type", "Inter", "inter"), named("type", "Type", "_type"), named("hash", "Hash", "hash")}},
	{"bubble", []string{"runtime.synctestBubble", "runtime.synctestGroup"}, []field{named("id", "id")}},
}

// What a version need not have, because it came or went with one. Anything else that is missing is an error.
var optional = map[string]bool{
	"g.syscall_bp": true, "g.parent_id": true, "g.tracking_sequence": true, "g.coroarg": true,
	"g.bubble": true, "m.is_extra": true, "m.is_extra_in_c": true, "deferred.open_defer": true,
	"deferred.rangefunc": true, "deferred.head": true, "panic.start_pc": true, "panic.start_sp": true,
	"bubble.size": true, "bubble.id": true,
}

// What it does pulls the types above into its DWARF: it blocks on a channel, defers, panics, asks for a dynamic type.
const probe = `package main

import (
	"fmt"
	"os"
)

func main() {
	channel := make(chan fmt.Stringer, 1)
	go func() {
		defer func() { recover(); close(channel) }()
		if len(os.Args) > 1 {
			panic(os.Args[1])
		}
	}()
	select {
	case value, _ := <-channel:
		if other, is := value.(interface{ Other() }); is {
			other.Other()
		}
		fmt.Println(value)
	}
}
`

// One or more toolchains with the same layout.
type version struct {
	minor   int
	patch   int      // the first release that is taken to have it
	names   []string // "go1.19.8", ascending
	offsets map[string]int64
	memory  map[string]int64 // of memoryStructures
	classes []string         // size in bytes of each size class
	reasons []string
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: go run tools/generate_go_layouts.go tools/generate_go_memory_layouts.go DIRECTORY GO…")
	}
	var read []*version
	for _, command := range os.Args[2:] {
		read = append(read, readToolchain(command))
	}
	sort.Slice(read, func(i, j int) bool {
		return read[i].minor < read[j].minor || read[i].minor == read[j].minor && read[i].patch < read[j].patch
	})
	write(filepath.Join(os.Args[1], "runtime/runtime_layout_table.cpp"), layoutTable(byLayout(read, runtimeOffsets)))
	write(filepath.Join(os.Args[1], "memstats/memory_layout_table.cpp"), memoryLayoutTable(byLayout(read, memoryOffsets)))
	write(filepath.Join(os.Args[1], "runtime/wait_reason_table.cpp"), waitReasonTable(byReasons(read)))
}

// Neighbours of the same minor version and the same layout as one. Of releases between those that were given the newer
// layout is assumed: fixes come early.
func byLayout(read []*version, layoutOf func(*version) map[string]int64) []*version {
	var rows []*version
	for _, each := range read {
		last := len(rows) - 1
		if last >= 0 && rows[last].minor == each.minor && reflect.DeepEqual(layoutOf(rows[last]), layoutOf(each)) {
			rows[last].names = append(rows[last].names, each.names...)
			continue
		}
		row := *each
		row.names = append([]string{}, each.names...)
		if last < 0 || rows[last].minor != each.minor {
			row.patch = 0
		} else {
			row.patch = patchOf(rows[last].names[len(rows[last].names)-1]) + 1
		}
		rows = append(rows, &row)
	}
	return rows
}

// One for each minor version. A patch release may add a reason behind the others.
func byReasons(read []*version) []*version {
	var rows []*version
	for _, each := range read {
		last := len(rows) - 1
		if last < 0 || rows[last].minor != each.minor {
			row := *each
			row.names = append([]string{}, each.names...)
			rows = append(rows, &row)
			continue
		}
		known := rows[last].reasons
		if len(each.reasons) < len(known) || !reflect.DeepEqual(each.reasons[:len(known)], known) {
			log.Fatalf("the wait reasons of %s and %s differ: the table needs rows by patch release", rows[last].names[0],
				each.names[0])
		}
		rows[last].reasons = each.reasons
		rows[last].names = append(rows[last].names, each.names...)
	}
	return rows
}

func patchOf(name string) int {
	parts := strings.Split(name, ".")
	if len(parts) < 3 {
		return 0
	}
	patch, err := strconv.Atoi(parts[2])
	if err != nil {
		log.Fatalf("%s is no release", name)
	}
	return patch
}

func readToolchain(command string) *version {
	folder, err := os.MkdirTemp("", "go-layouts-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	environment := append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GO111MODULE=off", "GOROOT=", "GOEXPERIMENT=",
		"GOARCH=amd64", "GOOS=linux", "CGO_ENABLED=0")
	if os.Getenv("GOCACHE") == "" {
		environment = append(environment, "GOCACHE="+filepath.Join(folder, "cache"))
	}
	run := func(arguments ...string) string {
		process := exec.Command(command, arguments...)
		process.Dir = folder
		process.Env = environment
		output, err := process.CombinedOutput()
		if err != nil {
			log.Fatalf("%s %s: %v\n%s", command, strings.Join(arguments, " "), err, output)
		}
		return strings.TrimSpace(string(output))
	}
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(probe), 0o644); err != nil {
		log.Fatal(err)
	}
	result := &version{offsets: map[string]int64{}, memory: map[string]int64{}}
	name := strings.Fields(run("env", "GOVERSION"))[0]
	result.names = []string{name}
	minor, err := strconv.Atoi(strings.Split(name, ".")[1])
	if err != nil {
		log.Fatalf("%s is %s, which is no release", command, name)
	}
	result.minor, result.patch = minor, patchOf(name)
	run("build", "-o", "probe", "main.go")
	types := structureTypes(filepath.Join(folder, "probe"))
	readOffsets(types, structures, optional, name, result.offsets)
	readOffsets(types, memoryStructures, optionalInMemory, name, result.memory)
	root := run("env", "GOROOT")
	result.reasons = readWaitReasons(filepath.Join(root, "src/runtime/runtime2.go"))
	result.classes = readSizeClasses(root)
	return result
}

// Every structure type of the file by its name.
func structureTypes(path string) map[string]*dwarf.StructType {
	file, err := elf.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		log.Fatal(err)
	}
	found := map[string]*dwarf.StructType{}
	for reader := data.Reader(); ; {
		entry, err := reader.Next()
		if err != nil {
			log.Fatal(err)
		}
		if entry == nil {
			return found
		}
		if entry.Tag != dwarf.TagStructType {
			continue
		}
		kind, err := data.Type(entry.Offset)
		if err != nil {
			log.Fatal(err)
		}
		if structure, is := kind.(*dwarf.StructType); is && found[structure.StructName] == nil {
			found[structure.StructName] = structure
		}
	}
}

func underlying(kind dwarf.Type) *dwarf.StructType {
	for {
		switch typed := kind.(type) {
		case *dwarf.TypedefType:
			kind = typed.Type
		case *dwarf.StructType:
			return typed
		default:
			return nil
		}
	}
}

// The offset of "a.b" in a structure, -1 where there is no such field; of "a.b#bytes" its size, and of "a.b#count" how
// many elements the array has.
func offsetOf(structure *dwarf.StructType, path string) int64 {
	path, what, _ := cut(path, "#")
	total := int64(0)
	var kind dwarf.Type
	for _, name := range strings.Split(path, ".") {
		if structure == nil {
			return -1
		}
		var found *dwarf.StructField
		for _, candidate := range structure.Field {
			if candidate.Name == name {
				found = candidate
			}
		}
		if found == nil {
			return -1
		}
		total += found.ByteOffset
		kind = found.Type
		structure = underlying(kind)
	}
	switch what {
	case "bytes":
		return kind.Size()
	case "count":
		return kind.(*dwarf.ArrayType).Count
	}
	return total
}

// strings.Cut came with Go 1.18.
func cut(text, separator string) (before, after string, found bool) {
	if at := strings.Index(text, separator); at >= 0 {
		return text[:at], text[at+len(separator):], true
	}
	return text, "", false
}

func readOffsets(types map[string]*dwarf.StructType, wantedOnes []structure, optional map[string]bool, version string,
	into map[string]int64) {
	for _, wanted := range wantedOnes {
		var found *dwarf.StructType
		for _, name := range wanted.from {
			if found == nil {
				found = types[name]
			}
		}
		set := func(name string, value int64) {
			name = wanted.member + "." + name
			if value < 0 && !optional[name] {
				log.Fatalf("%s has no %s", version, name)
			}
			into[name] = value
		}
		if found == nil {
			set("size", -1)
		} else {
			set("size", found.ByteSize)
		}
		for _, each := range wanted.fields {
			offset := int64(-1)
			for _, name := range each.from {
				if offset < 0 {
					offset = offsetOf(found, name)
				}
			}
			set(each.name, offset)
		}
	}
}

// The elements of waitReasonStrings in the order of the constants that index it.
func readWaitReasons(path string) []string {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		log.Fatal(err)
	}
	numbers := map[string]int{}
	texts := map[string]string{}
	for _, declaration := range file.Decls {
		general, is := declaration.(*ast.GenDecl)
		if !is {
			continue
		}
		for index, spec := range general.Specs {
			value, is := spec.(*ast.ValueSpec)
			if !is {
				continue
			}
			if name := value.Names[0].Name; general.Tok == token.CONST && strings.HasPrefix(name, "waitReason") {
				numbers[name] = index
			} else if general.Tok == token.VAR && name == "waitReasonStrings" {
				for _, element := range value.Values[0].(*ast.CompositeLit).Elts {
					pair := element.(*ast.KeyValueExpr)
					text, err := strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
					if err != nil {
						log.Fatal(err)
					}
					texts[pair.Key.(*ast.Ident).Name] = text
				}
			}
		}
	}
	reasons := make([]string, len(texts))
	for name, text := range texts {
		number, is := numbers[name]
		if !is || number >= len(reasons) {
			log.Fatalf("%s: %s is not among the constants", path, name)
		}
		reasons[number] = text
	}
	return reasons
}

const notice = "// Generated by tools/generate_go_layouts.go from %s of these toolchains; do not edit:\n"

func toolchains(versions []*version) string {
	var text strings.Builder
	for _, each := range versions {
		fmt.Fprintf(&text, "// %s\n", strings.Join(each.names, ", "))
	}
	return text.String()
}

func layoutTable(versions []*version) string {
	var text strings.Builder
	fmt.Fprintf(&text, notice, "the DWARF of programs")
	text.WriteString(toolchains(versions))
	text.WriteString("#include \"golang/runtime/runtime_layout.h\"\n\n#include <array>\n\nnamespace inspect {\nnamespace {\n\n")
	text.WriteString("// One field a line would make pages of it.\n// clang-format off\n")
	text.WriteString("constexpr auto rows = std::to_array<RuntimeLayout>({\n")
	for _, each := range versions {
		writeRow(&text, each, structures, each.offsets, "")
	}
	text.WriteString("});\n// clang-format on\n\n} // namespace\n\n")
	text.WriteString("std::span<const RuntimeLayout> known_runtime_layouts() {\n  return rows;\n}\n\n} // namespace inspect\n")
	return text.String()
}

func writeRow(text *strings.Builder, of *version, structures []structure, offsets map[string]int64, more string) {
	fmt.Fprintf(text, "    // %s\n    {.version = {1, %d}, .first_patch = %d,%s\n", strings.Join(of.names, ", "), of.minor,
		of.patch, more)
	for _, structure := range structures {
		words := []string{fmt.Sprintf(".%s = {.size = %d", structure.member, offsets[structure.member+".size"])}
		for _, member := range structure.fields {
			words = append(words, fmt.Sprintf(".%s = %d", member.name, offsets[structure.member+"."+member.name]))
		}
		text.WriteString(filled(words) + "},\n")
	}
	text.WriteString("    },\n")
}

// Joined by commas, in lines of at most 120 characters.
func filled(words []string) string {
	text, width := "     ", 5
	for index, word := range words {
		if index > 0 {
			if text, width = text+",", width+1; width+len(word) > 117 {
				text, width = text+"\n      ", 6
			} else {
				text, width = text+" ", width+1
			}
		}
		text, width = text+word, width+len(word)
	}
	return text
}

func waitReasonTable(versions []*version) string {
	var text strings.Builder
	fmt.Fprintf(&text, notice, "runtime/runtime2.go")
	text.WriteString(toolchains(versions))
	text.WriteString("#include \"golang/runtime/runtime_layout.h\"\n\n#include <array>\n\nnamespace inspect {\nnamespace {\n\n")
	var rows strings.Builder
	current, before := "", ""
	for _, each := range versions {
		if list := fmt.Sprintf("%q", each.reasons); list != before {
			before = list
			current = fmt.Sprintf("since_1_%d", each.minor)
			fmt.Fprintf(&text, "constexpr auto %s = std::to_array<std::string_view>({\n", current)
			for _, reason := range each.reasons {
				fmt.Fprintf(&text, "    %q,\n", reason)
			}
			text.WriteString("});\n\n")
		}
		fmt.Fprintf(&rows, "    {{1, %d}, %s},\n", each.minor, current)
	}
	text.WriteString("constexpr auto wait_reason_rows = std::to_array<WaitReasons>({\n" + rows.String() + "});\n\n} // namespace\n\n")
	text.WriteString("std::span<const WaitReasons> known_wait_reasons() {\n  return wait_reason_rows;\n}\n\n} // namespace inspect\n")
	return text.String()
}

func write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}
