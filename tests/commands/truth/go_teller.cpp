#include "tests/commands/truth/go_teller.h"

#include <fmt/format.h>

namespace inspect::test {
namespace {

constexpr std::string_view teller = R"go(
type constantNames struct {
	names  []string
	values []int64
	flags  bool
}

var knownTypes = map[reflect.Type]constantNames{}

var told = bufio.NewWriter(os.Stdout)

func tell(place, command, how string, value func() interface{}) {
	defer func() {
		if recover() != nil {
			fmt.Fprintf(told, "%s\t%s\t!\n", place, command)
			told.Flush()
		}
	}()
	one := reflect.ValueOf(value()).Elem()
	text := ""
	switch {
	case how == "whatis":
		text = one.Type().String()
	case how == "held":
		text = written(reflect.ValueOf(one.Interface()), true)
	case how == "converted": // its capacity is the compiler's choice
		text = written(one.Slice3(0, one.Len(), one.Len()), true)
	case strings.HasPrefix(how, "%"):
		if one.Kind() == reflect.String {
			cut := one.String()
			if len(cut) > 64 {
				cut = cut[:64]
			}
			text = fmt.Sprintf(how, cut)
		} else if one.Kind() >= reflect.Uint && one.Kind() <= reflect.Uintptr {
			text = fmt.Sprintf(how, one.Uint())
		} else {
			text = fmt.Sprintf(how, one.Int())
		}
	default:
		text = written(one, true)
	}
	fmt.Fprintf(told, "%s\t%s\t=%s\n", place, command, text)
	told.Flush()
}

func numberText(v reflect.Value, number int64, plain string) string {
	known := knownTypes[v.Type()]
	for i, value := range known.values {
		if value == number {
			return fmt.Sprintf("%s (%s)", known.names[i], plain)
		}
	}
	if !known.flags || number == 0 {
		return plain
	}
	left, names := number, []string{}
	for i, value := range known.values {
		if left&value != 0 {
			names, left = append(names, known.names[i]), left&^value
		}
	}
	if left != 0 {
		return plain
	}
	return fmt.Sprintf("%s (%s)", strings.Join(names, "|"), plain)
}

func listed(v reflect.Value) string {
	parts := []string{}
	for i := 0; i < v.Len() && i < 64; i++ {
		parts = append(parts, written(v.Index(i), false))
	}
	if v.Len() > 64 {
		parts = append(parts, fmt.Sprintf("...+%d more", v.Len()-64))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func complexText(v reflect.Value) string {
	if v.Kind() == reflect.Complex64 {
		return fmt.Sprintf("(%v + %vi)", float32(real(v.Complex())), float32(imag(v.Complex())))
	}
	return fmt.Sprintf("(%v + %vi)", real(v.Complex()), imag(v.Complex()))
}

func written(v reflect.Value, withType bool) string {
	name := ""
	if withType {
		name = v.Type().String() + " "
	}
	switch v.Kind() {
	case reflect.Bool:
		return fmt.Sprint(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.Type() == reflect.TypeOf(time.Second) {
			return time.Duration(v.Int()).String()
		}
		return numberText(v, v.Int(), fmt.Sprint(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return numberText(v, int64(v.Uint()), fmt.Sprint(v.Uint()))
	case reflect.Float32:
		return fmt.Sprint(float32(v.Float()))
	case reflect.Float64:
		return fmt.Sprint(v.Float())
	case reflect.Complex64, reflect.Complex128:
		return complexText(v)
	case reflect.String:
		if v.Len() > 64 {
			return fmt.Sprintf("%q", fmt.Sprintf("%s...+%d more", v.String()[:64], v.Len()-64))
		}
		return fmt.Sprintf("%q", v.String())
	case reflect.Slice:
		if withType {
			name += fmt.Sprintf("len: %d, cap: %d, ", v.Len(), v.Cap())
		}
		if v.IsNil() {
			return name + "nil"
		}
		return name + listed(v)
	case reflect.Array:
		return name + listed(v)
	case reflect.Struct:
		parts := []string{}
		for i := 0; i < v.NumField(); i++ {
			parts = append(parts, v.Type().Field(i).Name+": "+written(v.Field(i), true))
		}
		return name + "{" + strings.Join(parts, ", ") + "}"
	}
	return writtenReference(v, name, withType)
}

func writtenReference(v reflect.Value, name string, withType bool) string {
	switch v.Kind() {
	case reflect.Ptr:
		if v.IsNil() && withType {
			return "*" + v.Type().Elem().String() + " nil"
		} else if v.IsNil() {
			return "*nil"
		}
		return "*" + written(v.Elem(), withType)
	case reflect.Interface:
		if v.IsNil() {
			return name + "nil"
		}
		held := v.Elem()
		if withType {
			name = fmt.Sprintf("%s(%s) ", v.Type(), held.Type())
		}
		if (held.Kind() == reflect.Ptr || held.Kind() == reflect.Chan) && held.IsNil() {
			return name + "nil"
		}
		return name + written(held, !withType)
	case reflect.Map:
		if v.IsNil() {
			return name + "nil"
		}
		entries := []string{}
		for _, key := range v.MapKeys() {
			entries = append(entries, written(key, false)+": "+written(v.MapIndex(key), false)+", ")
		}
		sort.Strings(entries)
		return name + "[" + strings.Join(entries, "") + "]"
	case reflect.Chan:
		if v.IsNil() {
			return v.Type().String() + " nil"
		}
		return fmt.Sprintf("%s %d/%d", v.Type(), v.Len(), v.Cap())
	case reflect.Func:
		if v.IsNil() {
			return "nil"
		}
		return runtime.FuncForPC(v.Pointer()).Name()
	}
	return "?"
}
)go";

} // namespace

std::string go_teller_functions(const std::vector<GoTellerConstants> &constants) {
  std::string text(teller);
  text += "\nfunc init() {\n";
  for (const GoTellerConstants &one : constants) {
    std::string names, values;
    for (const std::string &name : one.names) {
      names += fmt::format("\"{}\", ", name);
      values += fmt::format("int64({}), ", name);
    }
    text += fmt::format("\tknownTypes[reflect.TypeOf({}(0))] = constantNames{{[]string{{{}}}, []int64{{{}}}, {}}}\n",
                        one.type, names, values, one.are_flags);
  }
  return text + "}\n";
}

} // namespace inspect::test
