#include "tests/commands/truth/rust_values.h"

#include <fmt/format.h>

namespace inspect::test {
namespace {

using Kind = RustType::Kind;

constexpr std::string_view integer_types[] = {"i8", "i16", "i32", "i64", "i128", "isize",
                                              "u8", "u16", "u32", "u64", "u128", "usize"};

RustTypeRef made_type(RustType type) {
  return std::make_shared<const RustType>(std::move(type));
}

struct WrapperForm {
  std::string_view type;
  std::string_view made;
  std::string_view ours; ///< empty: it has no content that a path leads to
  std::string_view program;
  enum class Content : std::uint8_t { any, copy, integer, key } content = Content::any;
};

constexpr WrapperForm wrapper_forms[] = {
    {"Box<{}>", "Box::new({})", "(*{})", "(*{})"},
    {"Rc<{}>", "Rc::new({})", "(*{})", "(*{})"},
    {"Arc<{}>", "Arc::new({})", "(*{})", "(*{})"},
    {"Option<{}>", "Some({})", "{}.0", "(*{}.as_ref().unwrap())"},
    {"Option<{}>", "None", "", ""},
    {"Option<Box<{}>>", "Some(Box::new({}))", "(*{}.0)", "(**{}.as_ref().unwrap())"},
    {"Option<&'static {}>", "Some(&*Box::leak(Box::new({})))", "(*{}.0)", "(*{}.unwrap())"},
    {"Result<{}, String>", "Ok({})", "{}.0", "(*{}.as_ref().unwrap())"},
    {"Result<u8, {}>", "Err({})", "{}.0", "(*{}.as_ref().unwrap_err())"},
    {"RefCell<{}>", "RefCell::new({})", "{}.value.value", "(*{}.borrow())"},
    {"Cell<{}>", "Cell::new({})", "{}.value.value", "{}.get()", WrapperForm::Content::copy},
    {"Mutex<{}>", "Mutex::new({})", "{}.data.value", "(*unlocked(&{}))"},
    {"RwLock<{}>", "RwLock::new({})", "{}.data.value", "(*{}.read().unwrap())"},
    {"&'static {}", "&*Box::leak(Box::new({}))", "(*{})", "(*{})"},
    {"Pin<Box<{}>>", "Box::pin({})", "", ""},
    {"Wrapping<{}>", "Wrapping({})", "{}.0", "{}.0", WrapperForm::Content::integer},
    {"Reverse<{}>", "Reverse({})", "{}.0", "{}.0", WrapperForm::Content::key},
    {"ManuallyDrop<{}>", "ManuallyDrop::new({})", "", ""},
    {"Rc<RefCell<{}>>", "Rc::new(RefCell::new({}))", "(*{}).value.value", "(*{}.borrow())"},
    {"Box<dyn Shown>", "Box::new({})", "", ""},
    {"Rc<dyn Shown>", "Rc::new({})", "", ""},
    {"&'static dyn Shown", "&*Box::leak(Box::new({}))", "", ""},
    {"Range<{}>", "({}..100)", "{}.start", "{}.start", WrapperForm::Content::integer},
    {"RangeInclusive<{}>", "({}..=100)", "{}.start", "(*{}.start())", WrapperForm::Content::integer},
    {"RangeFrom<{}>", "({}..)", "{}.start", "{}.start", WrapperForm::Content::integer},
    {"Bound<{}>", "Bound::Included({})", "{}.0", "(*match &{} { Bound::Included(x) => x, _ => panic!() })"},
    {"Poll<{}>", "Poll::Ready({})", "{}.0", "(*match &{} { Poll::Ready(x) => x, _ => panic!() })"},
    {"ControlFlow<{}>", "ControlFlow::Break({})", "{}.0", "(*match &{} { ControlFlow::Break(x) => x, _ => panic!() })"},
    {"PhantomData<{}>", "PhantomData", "", ""},
};

struct CollectionForm {
  Kind kind;
  std::string_view type;
  std::string_view made; ///< of "vec![…]"
  bool has_index = false;
};

constexpr CollectionForm collection_forms[] = {
    {Kind::sequence, "Vec<{}>", "{}", true},
    {Kind::sequence, "VecDeque<{}>", "VecDeque::from({})", true},
    {Kind::sequence, "VecDeque<{}>", "turned({})", true},
    {Kind::sequence, "Box<[{}]>", "{}.into_boxed_slice()", true},
    {Kind::sequence, "Rc<[{}]>", "Rc::from({})", true},
    {Kind::sequence, "&'static [{}]", "&*{}.leak()", true},
    {Kind::sequence, "LinkedList<{}>", "LinkedList::from_iter({})", false},
    {Kind::set, "BTreeSet<{}>", "BTreeSet::from_iter({})", false},
    {Kind::set, "HashSet<{}>", "HashSet::from_iter({})", false},
    {Kind::set, "BinaryHeap<{}>", "BinaryHeap::from({})", false},
    {Kind::map, "BTreeMap<{}>", "BTreeMap::from_iter({})", false},
    {Kind::map, "HashMap<{}>", "HashMap::from_iter({})", false},
};

struct LeafForm {
  std::string_view type;
  std::string_view made;
  bool is_key = false;
  bool is_copy = false;
};

/// Of the standard library, with values that differ in little.
constexpr LeafForm leaf_forms[] = {
    {"()", "()", true, true},
    {"Duration", "Duration::from_nanos({})", true, true},
    {"Ordering", "5.cmp(&({} % 10))", true, true},
    {"Option<NonZeroU32>", "NonZeroU32::new({} % 3)", true, true},
    {"NonZeroI64", "NonZeroI64::new({} + 1).unwrap()", true, true},
    {"Ipv6Addr", "Ipv6Addr::from({}u128 << 70)", true, true},
    {"IpAddr", "IpAddr::from(Ipv4Addr::from({}u32))", true, true},
    {"SocketAddr", "SocketAddr::from(([127, 0, 0, 1], ({}u32 % 65536) as u16))", true, true},
    {"Ipv4Addr", "Ipv4Addr::from({}u32)", true, true},
    {"PathBuf", "PathBuf::from(\"/tmp/{}\")", true, false},
    {"OsString", "OsString::from(\"os{}\")", true, false},
    {"CString", "CString::new(\"c{}\").unwrap()", true, false},
    {"std::time::Instant", "std::time::Instant::now()", true, true},
    {"std::io::Error", "std::io::Error::from_raw_os_error({} % 40)", false, false},
    {"Result<u16, std::num::ParseIntError>", "\"{}x\".parse::<u16>()", false, false},
    {"AtomicU32", "AtomicU32::new({})", false, false},
    {"AtomicBool", "AtomicBool::new({} > 9)", false, false},
    {"Option<bool>", "[None, Some(true), Some(false)][{} % 3]", true, true},
    {"Option<Option<bool>>", "[None, Some(None), Some(Some(true))][{} % 3]", true, true},
    {"Option<char>", "char::from_u32({})", true, true},
    {"Option<Ordering>", "[None, Some(Ordering::Less), Some(Ordering::Greater)][{} % 3]", true, true},
    {"Cow<'static, str>",
     "Cow::from(if {} % 2 == 0 { Cow::Borrowed(\"lent\") } else { Cow::Owned(String::from(\"own\")) })", true, false},
    {"RangeFull", "(..)", false, true},
    {"Result<(), ()>", "[Ok(()), Err(())][{} % 2]", true, true},
    {"Option<Result<u8, ()>>", "[None, Some(Ok(7)), Some(Err(()))][{} % 3]", true, true},
};

} // namespace

std::string filled_in(std::string_view pattern, std::string_view inner) {
  std::string text;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t mark = std::min(pattern.find("{}", at), pattern.size());
    text += pattern.substr(at, mark - at);
    if (mark < pattern.size())
      text += inner;
    at = mark + 2;
  }
  return text;
}

unsigned RustMaker::width_of(const std::string &integer_type) {
  const std::string digits = integer_type.substr(1);
  return digits == "size" ? 64 : static_cast<unsigned>(std::stoul(digits));
}

RustTypeRef RustMaker::scalar() {
  const auto of = [](Kind kind, std::string_view name) {
    return made_type({.kind = kind, .name = std::string(name), .is_copy = true, .is_key = kind != Kind::floating});
  };
  switch (below(8)) {
  case 0:
    return of(Kind::boolean, "bool");
  case 1:
    return of(Kind::character, "char");
  case 2:
    return of(Kind::floating, one_in(2) ? "f32" : "f64");
  default:
    return of(Kind::integer, any_of(integer_types));
  }
}

RustTypeRef RustMaker::leaf() {
  if (one_in(4)) {
    const LeafForm &form = any_of(leaf_forms);
    return made_type({.kind = Kind::other,
                      .name = std::string(form.type),
                      .made = std::string(form.made),
                      .is_copy = form.is_copy,
                      .is_key = form.is_key});
  }
  if (one_in(4)) {
    constexpr LeafForm texts[] = {{"String", "String::from({})", true, false},
                                  {"&'static str", "{}", true, true},
                                  {"Box<str>", "Box::<str>::from({})", true, false},
                                  {"Rc<str>", "Rc::<str>::from({})", true, false},
                                  {"Arc<str>", "Arc::<str>::from({})", true, false}};
    const LeafForm &form = any_of(texts);
    return made_type({.kind = Kind::text,
                      .name = std::string(form.type),
                      .made = std::string(form.made),
                      .is_copy = form.is_copy,
                      .is_key = true});
  }
  return scalar();
}

RustTypeRef RustMaker::key() {
  for (;;) {
    RustTypeRef found = one_in(5) && !defined_.empty() ? any_of(defined_) : leaf();
    if (found->is_key)
      return found;
  }
}

RustTypeRef RustMaker::type(int depth) {
  if (depth <= 0)
    return leaf();
  switch (below(6)) {
  case 0:
    return tuple(depth);
  case 1:
    return wrapper(depth);
  case 2:
    return collection(depth);
  case 3:
  case 4:
    return defined_.empty() ? leaf() : any_of(defined_);
  default:
    return leaf();
  }
}

RustTypeRef RustMaker::tuple(int depth) {
  RustType made{.kind = Kind::structure, .is_copy = true, .is_key = true};
  RustShape fields{.name = "", .has_names = false};
  const std::size_t count = 1 + below(4);
  std::string names;
  for (std::size_t i = 0; i < count; ++i) {
    const RustTypeRef part = type(depth - 1);
    names += part->name + ", ";
    made.is_copy = made.is_copy && part->is_copy;
    made.is_key = made.is_key && part->is_key;
    fields.fields.push_back({std::to_string(i), part});
  }
  made.name = "(" + names + ")";
  made.shapes.push_back(std::move(fields));
  return made_type(std::move(made));
}

RustTypeRef RustMaker::wrapper(int depth) {
  using Content = WrapperForm::Content;
  const WrapperForm &form = any_of(wrapper_forms);
  const auto fits = [&](const RustType &type) {
    return form.content == Content::any || (form.content == Content::copy && type.is_copy) ||
           (form.content == Content::integer && type.kind == Kind::integer) ||
           (form.content == Content::key && type.is_key);
  };
  RustTypeRef content = type(depth - 1);
  while (!fits(*content))
    content = scalar();
  return made_type({.kind = Kind::wrapper,
                    .name = filled_in(form.type, content->name),
                    .parts = {content},
                    .made = std::string(form.made),
                    .ours = form.ours,
                    .program = form.program});
}

RustTypeRef RustMaker::collection(int depth) {
  if (one_in(4)) {
    const RustTypeRef element = type(depth - 1);
    const std::size_t length = below(5);
    return made_type({.kind = Kind::sequence,
                      .name = fmt::format("[{}; {}]", element->name, length),
                      .parts = {element},
                      .made = "[{}]",
                      .is_copy = element->is_copy,
                      .is_key = element->is_key,
                      .has_index = true,
                      .length = length});
  }
  const CollectionForm &form = any_of(collection_forms);
  std::vector<RustTypeRef> parts = {form.kind == Kind::sequence ? type(depth - 1) : key()};
  if (form.kind == Kind::map)
    parts.push_back(type(depth - 1));
  const std::string names = parts.size() == 2 ? parts[0]->name + ", " + parts[1]->name : parts[0]->name;
  return made_type({.kind = form.kind,
                    .name = filled_in(form.type, names),
                    .parts = std::move(parts),
                    .made = filled_in(form.made, "vec![{}]"),
                    .has_index = form.has_index});
}

RustShape RustMaker::shape(const std::string &name, bool has_names) {
  constexpr std::string_view names[] = {"width", "label", "inner", "next", "total", "r#type"};
  RustShape made{.name = name, .has_names = has_names};
  const std::size_t count = 1 + below(4);
  for (std::size_t i = 0; i < count; ++i)
    made.fields.push_back({has_names ? std::string(names[i]) : std::to_string(i), type(2)});
  return made;
}

namespace {

std::string definition_of(const RustShape &shape, std::string_view name, bool is_public) {
  const std::string_view access = is_public ? "pub " : "";
  std::string text;
  for (const RustField &field : shape.fields)
    text += fmt::format("{}{}{}, ", access, shape.has_names ? field.name + ": " : "", field.type->name);
  if (shape.fields.empty())
    return std::string(name);
  return fmt::format("{}{}{}{}", name, shape.has_names ? " { " : "(", text, shape.has_names ? "}" : ")");
}

bool all_parts(const std::vector<RustShape> &shapes, bool RustType::*quality) {
  for (const RustShape &shape : shapes)
    for (const RustField &field : shape.fields)
      if (!((*field.type).*quality))
        return false;
  return true;
}

std::string derived(const RustType &type) {
  std::string traits = "Debug";
  if (type.is_copy)
    traits += ", Clone, Copy";
  if (type.is_key)
    traits += ", PartialEq, Eq, PartialOrd, Ord, Hash";
  return fmt::format("#[derive({})]\n", traits);
}

} // namespace

void RustMaker::define(std::size_t number) {
  switch (below(5)) {
  case 0:
    return define_plain_enumeration(fmt::format("Plain{}", number));
  case 1:
    return define_generic(fmt::format("Generic{}", number));
  case 2:
    return define_structure(fmt::format("Struct{}", number));
  default:
    return define_enumeration(fmt::format("Enum{}", number));
  }
}

void RustMaker::define_structure(const std::string &name) {
  RustType made{.kind = Kind::structure, .name = name};
  made.shapes.push_back(one_in(8) ? RustShape{.name = name} : shape(name, !one_in(3)));
  made.is_copy = all_parts(made.shapes, &RustType::is_copy);
  made.is_key = all_parts(made.shapes, &RustType::is_key);
  const bool has_end = !made.shapes[0].has_names || made.shapes[0].fields.empty();
  const std::string packed = made.is_copy && one_in(3) ? "#[repr(C, packed)]\n" : one_in(4) ? "#[repr(C)]\n" : "";
  definitions_ += fmt::format("{}{}pub struct {}{}\n", derived(made), packed, definition_of(made.shapes[0], name, true),
                              has_end ? ";" : "");
  // Fields of packed ones cannot be borrowed: nobody asks for them.
  if (packed.find("packed") != std::string::npos)
    made.parts.push_back(scalar());
  defined_.push_back(made_type(std::move(made)));
}

void RustMaker::define_enumeration(const std::string &name) {
  constexpr std::string_view names[] = {"First", "Second", "Third", "Fourth", "Fifth"};
  RustType made{.kind = Kind::enumeration, .name = name};
  const std::size_t count = 1 + below(5);
  std::string variants;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string variant = std::string(names[i]);
    made.shapes.push_back(one_in(3) ? RustShape{} : shape("", one_in(2)));
    variants += "    " + definition_of(made.shapes.back(), variant, false) + ",\n";
    made.shapes.back().name = name + "::" + variant;
  }
  made.is_copy = all_parts(made.shapes, &RustType::is_copy);
  made.is_key = all_parts(made.shapes, &RustType::is_key);
  constexpr std::string_view forms[] = {"", "", "", "#[repr(u8)]\n", "#[repr(C)]\n", "#[repr(i64)]\n"};
  definitions_ += fmt::format("{}{}pub enum {} {{\n{}}}\n", derived(made), any_of(forms), name, variants);
  defined_.push_back(made_type(std::move(made)));
}

void RustMaker::define_plain_enumeration(const std::string &name) {
  constexpr std::string_view sizes[] = {"", "i8", "u16", "i64", "u64"};
  const std::string_view size = any_of(sizes);
  RustType made{.kind = Kind::enumeration, .name = name, .made = "plain", .is_copy = true, .is_key = true};
  std::int64_t next = size.starts_with("u") ? 3 : -7;
  std::string variants;
  for (const std::string_view variant : {"Red", "Green", "Blue", "Other"}) {
    variants += one_in(2) ? fmt::format("{} = {}, ", variant, next) : fmt::format("{}, ", variant);
    next += 20 + static_cast<std::int64_t>(below(50));
    made.shapes.push_back({.name = fmt::format("{}::{}", name, variant)});
  }
  definitions_ += fmt::format("{}{}pub enum {} {{ {}}}\n", derived(made),
                              size.empty() ? "" : fmt::format("#[repr({})]\n", size), name, variants);
  defined_.push_back(made_type(std::move(made)));
}

/// A generic one, and two types that it is used with.
void RustMaker::define_generic(const std::string &name) {
  const bool is_enumeration = one_in(2);
  const std::string fields = "first: A, second: B, count: u16";
  definitions_ +=
      is_enumeration
          ? fmt::format("#[derive(Debug)]\npub enum {}<A, B> {{ Left(A), Both {{ {} }}, Nothing }}\n", name, fields)
          : fmt::format("#[derive(Debug)]\npub struct {}<A, B> {{ pub first: A, pub second: B, pub count: u16 }}\n",
                        name);
  const RustTypeRef count = made_type({.kind = Kind::integer, .name = "u16", .is_copy = true, .is_key = true});
  for (int i = 0; i < 2; ++i) {
    const RustTypeRef first = type(1);
    const RustTypeRef second = type(2);
    RustType made{.kind = is_enumeration ? Kind::enumeration : Kind::structure,
                  .name = fmt::format("{}<{}, {}>", name, first->name, second->name)};
    const std::vector<RustField> all = {{"first", first}, {"second", second}, {"count", count}};
    if (is_enumeration) {
      const std::string path = fmt::format("{}::<{}, {}>::", name, first->name, second->name);
      made.shapes = {{path + "Left", false, {{"0", first}}}, {path + "Both", true, all}, {path + "Nothing", true, {}}};
    } else {
      made.shapes = {{name, true, all}};
    }
    defined_.push_back(made_type(std::move(made)));
  }
}

std::string RustMaker::integer_literal(const std::string &type) {
  const bool is_signed = type.starts_with('i');
  const unsigned width = width_of(type);
  const unsigned bits = 1 + static_cast<unsigned>(below(width - (is_signed ? 1 : 0)));
  __extension__ unsigned __int128 number = 0;
  for (unsigned i = 0; i < bits; ++i)
    number = number << 1 | (i == 0 ? 1U : static_cast<unsigned>(below(2)));
  const std::string sign = is_signed && one_in(3) ? "-" : "";
  if (one_in(5))
    return fmt::format("{}0x{:x}{}", sign, number, type);
  std::string digits = fmt::format("{}", number);
  if (one_in(8) && digits.size() > 3)
    digits.insert(digits.size() - 3, "_");
  const std::string literal = sign + digits + type;
  return sign.empty() ? literal : "(" + literal + ")";
}

std::string RustMaker::float_literal(const std::string &type) {
  constexpr std::string_view numbers[] = {"0.0",    "1.0",        "0.1",   "2.5",        "1e10",      "1e16",
                                          "1.5e-7", "123456.789", "3e-20", "16777217.0", "0.3333333", "1e30",
                                          "7.0",    "1e-5",       "99.5",  "3.4e38"};
  const std::string sign = one_in(3) ? "-" : "";
  const std::string literal = fmt::format("{}{}{}", sign, any_of(numbers), type);
  return sign.empty() ? literal : "(" + literal + ")";
}

std::string RustMaker::character() {
  constexpr std::string_view letters[] = {"a",   "Z",    "0",          "é",   "ß", "中",       "\\n",
                                          "\\'", "\\\\", "\\u{1F600}", "\\0", " ", "\\u{301}", "\\u{a0}"};
  return fmt::format("'{}'", any_of(letters));
}

std::string RustMaker::text() {
  constexpr std::string_view pieces[] = {"word",     " ",         "grün",       "\\\"",         "\\n", "\\t",
                                         "\\\\",     "x",         "\\u{1F600}", "longer piece", "'",   "\\u{7f}",
                                         "\\u{301}", "\\u{3000}", "\\u{200b}",  "\\0"};
  std::string made = "\"";
  for (std::size_t count = below(6); count > 0; --count)
    made += any_of(pieces);
  return made + "\"";
}

namespace {

/// A key as it stands between the brackets of an index; empty: not asked for.
std::string key_text(const RustValue &key) {
  if (key.type->kind == RustType::Kind::integer || key.type->kind == RustType::Kind::character)
    return "&" + key.text;
  return key.type->name == "String" || key.type->name == "&'static str" ? key.literal : std::string();
}

} // namespace

RustValue RustMaker::leaf_value(const RustTypeRef &type) {
  RustValue made{.type = type, .text = ""};
  switch (type->kind) {
  case Kind::integer:
    made.text = integer_literal(type->name);
    break;
  case Kind::floating:
    made.text = float_literal(type->name);
    break;
  case Kind::boolean:
    made.text = one_in(2) ? "true" : "false";
    break;
  case Kind::character:
    made.text = character();
    break;
  case Kind::text:
    made.literal = text();
    made.text = filled_in(type->made, made.literal);
    break;
  default:
    made.text = filled_in(type->made, std::to_string(one_in(2) ? below(20) : below(3'000'000'000)));
    break;
  }
  return made;
}

RustValue RustMaker::value(const RustTypeRef &type) {
  switch (type->kind) {
  case Kind::structure:
  case Kind::enumeration:
    return shaped_value(type);
  case Kind::wrapper:
    return wrapped_value(type);
  case Kind::sequence:
  case Kind::set:
  case Kind::map:
    return collected_value(type);
  default:
    return leaf_value(type);
  }
}

RustValue RustMaker::shaped_value(const RustTypeRef &type) {
  RustValue made{.type = type, .text = ""};
  const RustShape &shape = any_of(type->shapes);
  std::string fields;
  for (std::size_t i = 0; i < shape.fields.size(); ++i) {
    const RustField &field = shape.fields[i];
    auto part = std::make_shared<const RustValue>(value(field.type));
    fields += (shape.has_names ? field.name + ": " : "") + part->text + ", ";
    std::string program = "{}." + field.name;
    if (type->kind == Kind::enumeration) {
      std::string pattern;
      for (std::size_t before = 0; before < i; ++before)
        pattern += "_, ";
      pattern = shape.has_names ? fmt::format(" {{ {}: part, .. }}", field.name) : "(" + pattern + "part, ..)";
      program = "(*match &{} { " + shape.name + pattern + " => part, _ => panic!() })";
    }
    const std::string name = field.name.starts_with("r#") ? field.name.substr(2) : field.name;
    if (type->parts.empty()) // not packed
      made.parts.push_back({"{}." + name, program, std::move(part)});
  }
  if (type->name.starts_with('('))
    made.text = "(" + fields + ")";
  else if (shape.fields.empty())
    made.text = shape.name;
  else
    made.text = shape.name + (shape.has_names ? " { " + fields + "}" : "(" + fields + ")");
  return made;
}

RustValue RustMaker::wrapped_value(const RustTypeRef &type) {
  auto content = std::make_shared<const RustValue>(value(type->parts[0]));
  RustValue made{.type = type, .text = filled_in(type->made, content->text)};
  if (type->name.find("dyn Shown") == std::string::npos)
    made.text = "{ let made: " + type->name + " = " + made.text + "; made }";
  else
    made.text =
        "{ let made: " + type->name + " = " +
        filled_in(type->made, "{ let content: " + type->parts[0]->name + " = " + content->text + "; content }") +
        "; made }";
  if (!type->ours.empty())
    made.parts.push_back({std::string(type->ours), std::string(type->program), std::move(content)});
  return made;
}

RustValue RustMaker::collected_value(const RustTypeRef &type) {
  RustValue made{.type = type, .text = ""};
  const bool is_array = type->name.starts_with('[');
  const bool is_set = type->kind == Kind::set || type->kind == Kind::map;
  const std::size_t count = is_array ? type->length : one_in(12) ? below(60) : below(5);
  std::string elements;
  for (std::size_t i = 0; i < count; ++i) {
    auto element = std::make_shared<const RustValue>(value(type->parts[0]));
    const std::string mapped = type->kind == Kind::map ? value(type->parts[1]).text : "";
    elements += mapped.empty() ? element->text + ", " : fmt::format("({}, {}), ", element->text, mapped);
    const std::string key = type->kind == Kind::map ? key_text(*element) : std::string();
    // The entry may be another one's of the same key: of its value no more than the type is known.
    if (!key.empty() && i < 3)
      made.parts.push_back({"{}[" + key + "]", "{}[" + key + "]",
                            std::make_shared<const RustValue>(RustValue{.type = type->parts[1], .text = ""})});
    const std::string index = fmt::format("{{}}[{}]", i);
    if (type->has_index)
      made.parts.push_back({index, index, std::move(element)});
  }
  made.length = is_set ? 0 : count; // equal keys become one
  made.text = "{ let made: " + type->name + " = " + filled_in(type->made, elements) + "; made }";
  return made;
}

} // namespace inspect::test
